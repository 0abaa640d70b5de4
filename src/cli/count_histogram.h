// How many rows were trained how often, and how often the row of each rank was.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "protocol/messages.h"

namespace longtail::cli {

/// Rows whose training count is from count_min to count_max, both included.
struct CountBin {
  std::uint64_t count_min = 0;
  std::uint64_t count_max = 0;
  std::uint64_t rows = 0;

  bool operator==(const CountBin&) const = default;
};

/// The row of this rank, counted from 1 by falling training count, was trained so often.
struct RankCount {
  std::uint64_t rank = 0;
  std::uint32_t count = 0;

  bool operator==(const RankCount&) const = default;
};

/// Memory: an entry for each count that occurs.
class CountHistogram {
 public:
  void Add(const RowBlock& rows);

  /// So many rows of one training count.
  void Add(std::uint32_t count, std::uint64_t rows);

  /// 0, 1, 2-3, 4-7, 8-15, … from the first bin that has rows to the last; an empty bin between
  /// them is one of them.
  std::vector<CountBin> Bins() const;

  /// Ranks 1, 2, 5, 10, 20, 50, … and the last one.
  std::vector<RankCount> RankSample() const;

  std::uint64_t rows() const { return rows_; }
  std::uint64_t occurrences() const { return occurrences_; }

 private:
  absl::btree_map<std::uint32_t, std::uint64_t> rows_by_count_;
  std::uint64_t rows_ = 0;
  std::uint64_t occurrences_ = 0;
};

}  // namespace longtail::cli
