#include "longtail/statistics.h"

#include <algorithm>
#include <cstddef>

namespace longtail {
namespace {

using Histogram = std::vector<std::pair<std::uint32_t, std::uint64_t>>;

Histogram Merge(const Histogram& a, const Histogram& b) {
  Histogram merged;
  merged.reserve(a.size() + b.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].first < b[j].first)) {
      merged.push_back(a[i++]);
    } else if (i == a.size() || b[j].first < a[i].first) {
      merged.push_back(b[j++]);
    } else {
      merged.emplace_back(a[i].first, a[i].second + b[j].second);
      ++i;
      ++j;
    }
  }
  return merged;
}

// Each key is in one list alone, so what both say stays true of the whole.
std::vector<HotKeyCount> Hottest(std::vector<HotKeyCount> keys,
                                 const std::vector<HotKeyCount>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  std::sort(keys.begin(), keys.end(), [](const HotKeyCount& a, const HotKeyCount& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  });
  keys.resize(std::min(keys.size(), kHotKeysMax));
  return keys;
}

}  // namespace

TableStatistics& TableStatistics::operator+=(const TableStatistics& other) {
  rows += other.rows;
  weight_bytes += other.weight_bytes;
  state_bytes += other.state_bytes;
  header_bytes += other.header_bytes;
  index_bytes += other.index_bytes;
  free_bytes += other.free_bytes;
  tail_rows += other.tail_rows;
  pulls += other.pulls;
  pushes += other.pushes;
  rows_created += other.rows_created;
  non_finite_refused += other.non_finite_refused;
  full_refused += other.full_refused;
  shared_pushes += other.shared_pushes;
  rows_promoted += other.rows_promoted;
  evicted_idle += other.evicted_idle;
  evicted_score += other.evicted_score;
  evicted_norm += other.evicted_norm;
  evicted_budget += other.evicted_budget;
  for (std::size_t i = 0; i < pulls_by_bucket.size(); ++i) {
    pulls_by_bucket[i] += other.pulls_by_bucket[i];
  }
  distinct_keys += other.distinct_keys;
  hot_keys = Hottest(std::move(hot_keys), other.hot_keys);
  rows_by_count = Merge(rows_by_count, other.rows_by_count);
  hash += other.hash;
  return *this;
}

}  // namespace longtail
