#include "cluster/table_json.h"

#include <string>

#include "protocol/spec_json.h"
#include "protocol/statistics_fields.h"

namespace longtail {

using nlohmann::json;

std::array<std::uint64_t, kFrequencyBuckets.size()> RowsByBucket(
    const TableStatistics& statistics) {
  std::array<std::uint64_t, kFrequencyBuckets.size()> rows{};
  for (const auto& [count, n] : statistics.rows_by_count) rows[BucketOf(count)] += n;
  return rows;
}

json TableJson(const TableSpec& spec, const TableStatistics& statistics) {
  json table = {{"name", spec.name}, {"spec", SpecToJson(spec)}};
  for (const auto& [name, member] : kStatisticsFields) {
    if (std::string_view(name) != "hash") table[name] = statistics.*member;
  }
  const auto rows = RowsByBucket(statistics);
  table["buckets"] = json::array();
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    table["buckets"].push_back({{"name", kFrequencyBuckets[i].name},
                                {"rows", rows[i]},
                                {"pulls", statistics.pulls_by_bucket[i]}});
  }
  table["rows_by_count"] = json::array();
  for (const auto& [count, n] : statistics.rows_by_count) {
    table["rows_by_count"].push_back({count, n});
  }
  table["hot_keys"] = json::array();
  for (const HotKeyCount& hot : statistics.hot_keys) {
    // As text: not every key is a number that JavaScript has.
    table["hot_keys"].push_back(
        {{"key", std::to_string(hot.key)}, {"count", hot.count}, {"error", hot.error}});
  }
  return table;
}

}  // namespace longtail
