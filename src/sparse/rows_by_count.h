// How many rows have which count.
//
// Thread: one owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace longtail::sparse {

/// Sorted at the end, so the order of the hash map shows nowhere.
class RowsByCount {
 public:
  void Add(std::uint32_t count) { ++rows_[count]; }

  /// (count, rows), ascending by count.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> Sorted() const {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> sorted(rows_.begin(), rows_.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  absl::flat_hash_map<std::uint32_t, std::uint64_t> rows_;
};

}  // namespace longtail::sparse
