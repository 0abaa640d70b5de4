// The flat form of a table: a header and rows of equal size (docs/FORMATS.md, "Flat table").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "checkpoint/output_file.h"
#include "checkpoint/table_file.h"
#include "protocol/checksum.h"

namespace longtail::checkpoint {

inline constexpr std::string_view kFlatTableMagic = "LTFLATTB";
inline constexpr std::uint32_t kFlatTableVersion = 1;
inline constexpr std::size_t kFlatTableFixedBytes = 64;  ///< Of the header, before the spec.

/// Thread: one at a time.
class FlatFile final : public TableFile {
 public:
  /// Errors: as OutputFile.
  static absl::StatusOr<std::unique_ptr<FlatFile>> Create(const std::string& path);

  absl::Status Begin(const TableShape& shape) override;
  absl::Status Add(const StoredRow& row) override;
  absl::Status Finish() override;

 private:
  explicit FlatFile(std::unique_ptr<OutputFile> file) : file_(std::move(file)) {}

  std::string Header() const;

  const std::unique_ptr<OutputFile> file_;
  std::string spec_;  // Encoded, with the zeros behind it.
  std::uint32_t spec_bytes_ = 0;
  std::uint32_t dim_ = 0;
  std::uint32_t slots_ = 0;
  std::uint64_t step_ = 0;
  std::uint64_t rows_ = 0;
  RunningChecksum checksum_;
  std::string row_;
};

}  // namespace longtail::checkpoint
