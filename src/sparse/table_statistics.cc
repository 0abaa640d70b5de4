#define XXH_INLINE_ALL  // Rows are short: a call would cost more than the hash.
#include <xxhash.h>

#include <cstring>

#include "sparse/rows_by_count.h"
#include "sparse/table.h"

namespace longtail::sparse {

std::uint64_t Table::ContentHash() const {
  // As if a row were stored in one piece, with count and last step in 32 bits each.
  constexpr std::size_t kHead = sizeof(Key) + 2 * sizeof(std::uint32_t);
  std::vector<std::byte> bytes(kHead + value_count() * sizeof(float));
  std::uint64_t sum = 0;
  ForEachRow([&](const RowView& row) {
    std::memcpy(bytes.data(), &row.key, sizeof(row.key));
    std::memcpy(bytes.data() + sizeof(Key), &row.count, sizeof(row.count));
    std::memcpy(bytes.data() + sizeof(Key) + sizeof(row.count), &row.last_step,
                sizeof(row.last_step));
    std::memcpy(bytes.data() + kHead, row.values.data(), row.values.size_bytes());
    sum += XXH3_64bits(bytes.data(), bytes.size());
  });
  return sum;
}

TableStatistics Table::Statistics() const {
  RowsByCount histogram;
  ForEachCount(0, place_end(), [&](std::uint32_t count) { histogram.Add(count); });
  TableStatistics statistics = Counts();
  statistics.rows_by_count = histogram.Sorted();
  statistics.hash = ContentHash();
  return statistics;
}

TableStatistics Table::Counts() const {
  TableStatistics statistics = done_;
  statistics.rows = row_count();
  statistics.tail_rows = store_.tail().size();
  std::uint64_t row_bytes = 0;
  for (const bool is_tail : {false, true}) {
    const std::uint64_t rows = (is_tail ? store_.tail() : store_.full()).size();
    statistics.weight_bytes += rows * layout_.codec(is_tail).weight_bytes();
    statistics.state_bytes += rows * layout_.codec(is_tail).state_bytes();
    row_bytes += rows * layout_.row_bytes(is_tail);
  }
  statistics.header_bytes = row_count() * kRowHeaderBytes;
  statistics.index_bytes = index_.bytes();
  statistics.free_bytes = store_.bytes() - row_bytes;
  statistics.distinct_keys = distinct_.Estimate();
  statistics.hot_keys = uses_.HotKeys();
  return statistics;
}

}  // namespace longtail::sparse
