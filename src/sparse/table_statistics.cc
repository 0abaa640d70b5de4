#define XXH_INLINE_ALL  // Rows are short: a call would cost more than the hash.
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "sparse/table.h"

namespace longtail::sparse {
namespace {

// Sorted at the end, so the order of the hash map shows nowhere.
class CountHistogram {
 public:
  void Add(std::uint32_t count) { ++rows_[count]; }

  std::vector<std::pair<std::uint32_t, std::uint64_t>> Sorted() const {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> sorted(rows_.begin(), rows_.end());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  }

 private:
  absl::flat_hash_map<std::uint32_t, std::uint64_t> rows_;
};

}  // namespace

std::uint64_t Table::ContentHash() const {
  std::uint64_t sum = 0;
  for (std::uint32_t row = 0; row < slabs_.end(); ++row) {
    if (slabs_.IsTaken(row)) sum += XXH3_64bits(slabs_.Row(row), layout_.used_bytes());
  }
  return sum;
}

TableStatistics Table::Statistics() const {
  CountHistogram histogram;
  ForEachRow([&](const RowView& row) { histogram.Add(row.count); });

  TableStatistics statistics;
  statistics.rows = row_count();
  statistics.weight_bytes = row_count() * layout_.dim * sizeof(float);
  statistics.state_bytes = row_count() * layout_.state_size * sizeof(float);
  statistics.header_bytes = row_count() * sizeof(RowHeader);
  statistics.index_bytes = index_.bytes();
  statistics.free_bytes = slabs_.bytes() - row_count() * layout_.used_bytes();
  statistics.pulls = pulls_;
  statistics.pushes = pushes_;
  statistics.rows_created = rows_created_;
  statistics.non_finite_refused = non_finite_refused_;
  statistics.rows_by_count = histogram.Sorted();
  statistics.hash = ContentHash();
  return statistics;
}

}  // namespace longtail::sparse
