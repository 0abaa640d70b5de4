// The statistics of a table, for messages that have some.
#include "protocol/sample_messages.h"

namespace longtail::test {

TableStatistics SampleStatistics() {
  TableStatistics statistics;
  statistics.rows = 62;
  statistics.weight_bytes = 63;
  statistics.state_bytes = 64;
  statistics.header_bytes = 65;
  statistics.index_bytes = 66;
  statistics.free_bytes = 67;
  statistics.pulls = 68;
  statistics.pushes = 69;
  statistics.rows_created = 70;
  statistics.non_finite_refused = 71;
  statistics.full_refused = 72;
  statistics.tail_rows = 73;
  statistics.shared_pushes = 79;
  statistics.rows_promoted = 74;
  statistics.evicted_idle = 75;
  statistics.evicted_score = 76;
  statistics.evicted_norm = 77;
  statistics.evicted_budget = 78;
  statistics.pulls_by_bucket = {101, 102, 103, 104, 105, 106};
  statistics.distinct_keys = 107;
  statistics.hot_keys = {{.key = 108, .count = 120, .error = 109},
                         {.key = ~Key{0}, .count = 112, .error = 0}};
  statistics.rows_by_count = {{1, 40}, {2, 20}, {1000, 2}};
  statistics.hash = 0xFEDCBA9876543210;
  return statistics;
}

TableStatistics RandomStatistics(Rng& rng) {
  TableStatistics statistics = SampleStatistics();
  statistics.rows = rng.Next();
  statistics.hash = rng.Next();
  statistics.distinct_keys = rng.Next();
  for (std::uint64_t& pulls : statistics.pulls_by_bucket) pulls = rng.Next();
  statistics.hot_keys.resize(rng.Below(kHotKeysMax + 1));
  for (HotKeyCount& hot : statistics.hot_keys) {
    hot.key = rng.Next();
    hot.count = rng.Next();
    hot.error = rng.Next();
  }
  statistics.rows_by_count.resize(rng.Below(9));
  for (auto& [count, rows] : statistics.rows_by_count) {
    count = static_cast<std::uint32_t>(rng.Next());
    rows = rng.Next();
  }
  return statistics;
}

}  // namespace longtail::test
