#include "protocol/wire_statistics.h"

#include <iterator>

#include "base/check.h"
#include "protocol/statistics_fields.h"

namespace longtail::wire {
namespace {

constexpr std::size_t kHotKeyBytes = 3 * sizeof(std::uint64_t);
constexpr std::size_t kCountBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);

}  // namespace

std::size_t StatisticsBytesMin() {
  constexpr std::size_t kNumbers = std::size(kStatisticsFields) + kFrequencyBuckets.size();
  return kNumbers * sizeof(std::uint64_t) + 2 * sizeof(std::uint32_t);
}

void PutStatistics(const TableStatistics& statistics, FrameWriter& writer) {
  ByteWriter& fields = writer.fields();
  for (const auto& [name, member] : kStatisticsFields) fields.U64(statistics.*member);
  for (const std::uint64_t pulls : statistics.pulls_by_bucket) fields.U64(pulls);
  LONGTAIL_CHECK(statistics.hot_keys.size() <= kHotKeysMax);
  writer.Count(statistics.hot_keys.size());
  for (const HotKeyCount& hot : statistics.hot_keys) {
    fields.U64(hot.key);
    fields.U64(hot.count);
    fields.U64(hot.error);
  }
  writer.Count(statistics.rows_by_count.size());
  for (const auto& [count, rows] : statistics.rows_by_count) {
    fields.U32(count);
    fields.U64(rows);
  }
}

void TakeStatistics(FieldReader& fields, std::uint64_t counts_max, TableStatistics& statistics) {
  for (const auto& [name, member] : kStatisticsFields) statistics.*member = fields.U64(name);
  for (std::uint64_t& pulls : statistics.pulls_by_bucket) pulls = fields.U64("pulls_by_bucket");
  statistics.hot_keys.resize(fields.Count("hot_keys count", kHotKeysMax, kHotKeyBytes));
  for (HotKeyCount& hot : statistics.hot_keys) {
    hot.key = fields.U64("hot key");
    hot.count = fields.U64("hot key's count");
    hot.error = fields.U64("hot key's error");
  }
  statistics.rows_by_count.resize(fields.Count("rows_by_count count", counts_max, kCountBytes));
  for (auto& [count, rows] : statistics.rows_by_count) {
    count = fields.U32("rows_by_count");
    rows = fields.U64("rows_by_count");
  }
}

}  // namespace longtail::wire
