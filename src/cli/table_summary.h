// How many rows a table has and how they were trained, summed over its rows block by block.
#pragma once

#include <array>
#include <cstdint>

#include "longtail/statistics.h"
#include "protocol/messages.h"

namespace longtail::cli {

struct RowsAndOccurrences {
  std::uint64_t rows = 0;
  std::uint64_t occurrences = 0;  ///< The sum of the rows' training counts.

  bool operator==(const RowsAndOccurrences&) const = default;
};

struct TableSummary {
  std::uint32_t floats_per_row = 0;  ///< Weights and optimizer state; 0 without rows.
  std::uint64_t row_bytes = 0;       ///< All that the rows are, before compression.
  RowsAndOccurrences all;
  std::array<RowsAndOccurrences, kFrequencyBuckets.size()> buckets{};

  void Add(const RowBlock& rows);

  /// So many rows of one training count; of their bytes it says nothing.
  void Add(std::uint32_t count, std::uint64_t rows);
};

}  // namespace longtail::cli
