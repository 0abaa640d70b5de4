// A side file of a join, held in memory as the keys and numbers its features need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/row_scanner.h"
#include "examples/common/data/schema.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// Features of a side file, by the value of its key column. Its rows are read and turned into keys
/// once, so that an example costs one lookup.
///
/// Thread: const calls from any thread.
class SideTable {
 public:
  /// Reads the file of `join` at `path` and keeps `features`, which name columns of join.add.
  ///
  /// Errors: what `opener` says; InvalidArgument, with file, line and column, for a bad line, and
  /// for a key that occurs twice unless join.many.
  /// Cost: memory for the distinct keys of the join and 8 bytes a value (16 with as_of).
  [[nodiscard]] static absl::StatusOr<SideTable> Load(const FileOpener& opener,
                                                      const std::string& path, const JoinSpec& join,
                                                      const std::vector<FeatureSpec>& features);

  /// The row of `on`, if the side file has one.
  std::optional<std::uint32_t> FindRow(std::string_view on) const;

  /// The keys of categorical feature `feature` (a place in Load's list) in `row`: with as_of, those
  /// whose time is at most `now`. With join.many the keys are distinct, the earliest first.
  std::span<const Key> Keys(std::size_t feature, std::uint32_t row,
                            double now = std::numeric_limits<double>::infinity()) const;

  /// The value of numeric feature `feature` in `row`.
  float Number(std::size_t feature, std::uint32_t row) const {
    return columns_[feature].numbers[row];
  }

  std::size_t row_count() const { return rows_.size(); }

 private:
  struct Column {
    std::vector<float> numbers;          // [row_count], if numeric.
    std::vector<Key> keys;               // By row, then by time.
    std::vector<double> times;           // As keys; empty without as_of.
    std::vector<std::uint64_t> offsets;  // [row_count + 1] in keys.
  };
  class Loader;

  absl::flat_hash_map<std::string, std::uint32_t> rows_;
  std::vector<Column> columns_;
};

}  // namespace longtail::examples
