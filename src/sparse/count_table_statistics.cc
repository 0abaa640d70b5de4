#define XXH_INLINE_ALL  // Rows are short: a call would cost more than the hash.
#include <xxhash.h>

#include "base/hash.h"
#include "sparse/count_table.h"
#include "sparse/rows_by_count.h"

namespace longtail::sparse {

std::uint64_t CountTable::ContentHash() const {
  std::uint64_t sum = 0;
  ForEachRow([&](const CountRowView& row) {
    sum += XXH3_64bits_withSeed(row.packed.data(), row.packed.size(), Mix64(row.key));
  });
  return sum;
}

TableStatistics CountTable::Statistics() const {
  RowsByCount histogram;
  ForEachCount(0, place_end(), [&](std::uint32_t count) { histogram.Add(count); });
  TableStatistics statistics = Counts();
  statistics.rows_by_count = histogram.Sorted();
  statistics.hash = ContentHash();
  return statistics;
}

TableStatistics CountTable::Counts() const {
  TableStatistics statistics = done_;
  statistics.rows = row_count();
  statistics.weight_bytes = store_.row_bytes();
  statistics.header_bytes = row_count() * CountStore::kHeadBytes;
  statistics.index_bytes = index_.bytes();
  statistics.free_bytes = store_.bytes() - statistics.weight_bytes - statistics.header_bytes;
  statistics.distinct_keys = distinct_.Estimate();
  statistics.hot_keys = uses_.HotKeys();
  return statistics;
}

}  // namespace longtail::sparse
