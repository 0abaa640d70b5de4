// Rows of a count table: whole numbers over many columns, few of which are not zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace longtail {

/// Rows of sparse counts, one behind the other (compressed sparse rows). Row i has the entries from
/// begin(i) up to ends[i].
///
/// Shapes: ends [n], ascending or equal; columns, counts [ends.back()].
struct CountRows {
  std::vector<std::uint64_t> ends;     ///< For each row, where its entries end.
  std::vector<std::uint32_t> columns;  ///< Ascending within a row, each once.
  std::vector<std::int64_t> counts;    ///< Of the column beside it; never 0 in what a pull gives.

  /// Rows that it has.
  std::size_t size() const { return ends.size(); }

  /// Where the entries of a row begin.
  std::uint64_t begin(std::size_t row) const { return row == 0 ? 0 : ends[row - 1]; }

  /// Drops all rows and keeps the memory.
  void clear() {
    ends.clear();
    columns.clear();
    counts.clear();
  }

  bool operator==(const CountRows&) const = default;
};

}  // namespace longtail
