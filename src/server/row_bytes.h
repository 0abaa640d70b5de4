// What rows take in a server's memory, before there are any: for planning.
#pragma once

#include <cstdint>

#include "longtail/table_spec.h"

namespace longtail::server {

/// One row. All but `index` are exact.
struct RowBytes {
  std::uint32_t floats = 0;   ///< Weights and optimizer state, as checkpoints have them.
  std::uint64_t header = 0;   ///< Key, count, last step.
  std::uint64_t weights = 0;  ///< In the format that they are kept in.
  std::uint64_t state = 0;    ///< Of the optimizer, likewise.
  double index = 0;           ///< Its place in the index, on the average over a cycle of growth,
  double index_max = 0;       ///< and just after one.
  double taken = 0;           ///< The bit that says whether its number is taken.

  double values() const { return static_cast<double>(weights + state); }
  double total() const { return static_cast<double>(header) + values() + index + taken; }
  double total_max() const { return total() - index + index_max; }
};

/// A row of the table's own format, or of its tail's.
///
/// Needs a spec that Validate accepts.
RowBytes BytesOfRow(const TableSpec& spec, bool is_tail = false);

/// Rows of a table that its keys' hashes spread over partitions evenly.
struct TableBytes {
  double rows = 0;   ///< Headers, values and bits.
  double index = 0;  ///< As it has grown for so many rows.
  double pages = 0;  ///< Begun and not yet filled, and what a growing index has yet to give back.
  double fixed = 0;  ///< What a table has in each partition without a row: counters and sketches.

  double total() const { return rows + index + pages + fixed; }
};

/// Of `rows` in the table's own format and `tail_rows` in its tail's.
///
/// Needs a spec that Validate accepts, and partitions > 0.
TableBytes BytesOfTable(const TableSpec& spec, std::uint64_t rows, std::uint64_t tail_rows,
                        std::uint32_t partitions);

}  // namespace longtail::server
