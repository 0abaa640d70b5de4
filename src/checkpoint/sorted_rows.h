// Rows of one table that came in blocks, in the order of their keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "longtail/ids.h"
#include "protocol/messages.h"

namespace longtail::checkpoint {

/// A row as its block holds it.
struct StoredRow {
  Key key = 0;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::span<const float> values;        ///< Weights, then optimizer state.
  std::span<const std::byte> packed{};  ///< Of a count table (base/count_row.h).
};

/// Cost: the rows' own memory and 16 bytes for each.
class SortedRows {
 public:
  /// Errors: DataLoss if rows of the same table came with another width.
  absl::Status Add(RowBlock block);

  /// Called once, after the last Add.
  ///
  /// Errors: DataLoss naming a key that is there twice.
  absl::Status Sort();

  std::size_t size() const { return order_.size(); }

  /// Whether a block of the table came.
  bool has_table() const { return !blocks_.empty(); }

  /// Floats of a row; 0 of a count table, or if no block of the table came.
  std::uint32_t value_count() const { return value_count_; }

  /// The row in the place `i` of the order. Valid while this object is.
  StoredRow at(std::size_t i) const;

 private:
  struct Place {
    Key key;
    std::uint32_t block;
    std::uint32_t row;
  };

  std::uint32_t value_count_ = 0;
  std::vector<RowBlock> blocks_;
  std::vector<Place> order_;
};

}  // namespace longtail::checkpoint
