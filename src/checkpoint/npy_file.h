// A table as arrays that numpy.load reads, or maps: weights, keys and, if asked for, optimizer
// state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "checkpoint/output_file.h"
#include "checkpoint/table_file.h"

namespace longtail::checkpoint {

/// Bytes before the numbers: always as many, so that the header can be written last.
inline constexpr std::size_t kNpyHeaderBytes = 128;

/// Magic, version 1.0, and a dictionary. `type` as numpy writes it, "<f4". Without `columns` the
/// array has one dimension.
///
/// Source: numpy.lib.format, "A simple format for saving numpy arrays to disk", version 1.0.
std::string NpyHeader(std::string_view type, std::uint64_t rows,
                      std::optional<std::uint32_t> columns);

/// The names of a table's arrays: for PATH.npy the keys are PATH.keys.npy, optimizer state is
/// PATH.slots.npy.
struct NpyPaths {
  std::string weights;
  std::string keys;
  std::string slots;
};

NpyPaths NpyPathsOf(const std::string& path);

/// Row i of each array is of the key in place i. Thread: one at a time.
class NpyFile final : public TableFile {
 public:
  /// Errors: as OutputFile.
  static absl::StatusOr<std::unique_ptr<NpyFile>> Create(const std::string& path, bool has_slots);

  absl::Status Begin(const TableShape& shape) override;
  absl::Status Add(const StoredRow& row) override;

  /// The weights get their name last.
  absl::Status Finish() override;

 private:
  NpyFile() = default;

  std::unique_ptr<OutputFile> weights_;
  std::unique_ptr<OutputFile> keys_;
  std::unique_ptr<OutputFile> slots_;  // Null if not asked for.
  std::uint32_t dim_ = 0;
  std::uint32_t slot_count_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace longtail::checkpoint
