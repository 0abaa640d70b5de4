#define XXH_INLINE_ALL  // Rows are short: a call would cost more than the hash.
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/hash.h"
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

// Uses from one that is sampled to the next: 1 to 127, each as likely, so that no period of the
// batches can fall in with them.
constexpr std::uint64_t kSampleGapMean = 64;
std::uint64_t SampleGap(std::uint64_t number) {
  return 1 + ((Mix64(number + 1) >> 32) * (2 * kSampleGapMean - 1) >> 32);
}

}  // namespace

// A use is sampled, not a key: a key that stands for many occurrences would be seen too seldom to
// tell how many. Of 64 occurrences at once one is taken without a draw.
void Table::SampleUses(std::span<const Key> keys, const std::uint32_t* counts) {
  if (counts == nullptr) {
    std::uint64_t at = to_sample_;
    for (; at < keys.size(); at += SampleGap(sampled_++)) hot_.Add(keys[at], 1);
    to_sample_ = at - keys.size();
    return;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t rest = counts[i] % kSampleGapMean;
    std::uint64_t times = counts[i] / kSampleGapMean;
    for (; to_sample_ < rest; to_sample_ += SampleGap(sampled_++)) ++times;
    to_sample_ -= rest;
    if (times != 0) hot_.Add(keys[i], times);
  }
}

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
  CountHistogram histogram;
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
  statistics.hot_keys = hot_.Sorted();
  for (HotKeyCount& hot : statistics.hot_keys) {
    hot.count *= kSampleGapMean;
    hot.error *= kSampleGapMean;
  }
  return statistics;
}

}  // namespace longtail::sparse
