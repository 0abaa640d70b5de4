#include "protocol/statistics_json.h"

#include <cstddef>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "protocol/format_limits.h"
#include "protocol/json_reader.h"
#include "protocol/spec_json.h"
#include "protocol/statistics_fields.h"

namespace longtail {
namespace {

using nlohmann::json;

constexpr int kIndent = 1;
constexpr std::size_t kTextSizeMax = 256;  // Of a time or a version.
constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kAny32 = std::numeric_limits<std::uint32_t>::max();

json StatisticsToJson(const TableStatistics& statistics) {
  json out;
  for (const auto& [name, member] : kStatisticsFields) out[name] = statistics.*member;
  json& pulls = out["pulls_by_bucket"] = json::array();
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    pulls.push_back(
        {{"count_min", kFrequencyBuckets[i].count_min}, {"pulls", statistics.pulls_by_bucket[i]}});
  }
  json& hot_keys = out["hot_keys"] = json::array();
  for (const HotKeyCount& hot : statistics.hot_keys) {
    hot_keys.push_back({{"key", hot.key}, {"count", hot.count}, {"error", hot.error}});
  }
  json& rows_by_count = out["rows_by_count"] = json::array();
  for (const auto& [count, rows] : statistics.rows_by_count) {
    rows_by_count.push_back({{"count", count}, {"rows", rows}});
  }
  return out;
}

TableStatistics StatisticsFromJson(JsonReader reader) {
  TableStatistics statistics;
  for (const auto& [name, member] : kStatisticsFields) {
    statistics.*member = reader.Whole(name, 0, kAny);
  }
  std::size_t bucket = 0;
  reader.Each("pulls_by_bucket", kFrequencyBuckets.size(), [&](JsonReader entry) {
    const std::uint32_t count_min = kFrequencyBuckets[bucket].count_min;
    entry.Whole("count_min", count_min, count_min);
    statistics.pulls_by_bucket[bucket++] = entry.Whole("pulls", 0, kAny);
  });
  if (reader.ok() && bucket != kFrequencyBuckets.size()) {
    reader.Refuse("pulls_by_bucket",
                  absl::StrCat("has ", bucket, " buckets: want ", kFrequencyBuckets.size()));
  }
  reader.Each("hot_keys", kHotKeysMax, [&](JsonReader entry) {
    HotKeyCount& hot = statistics.hot_keys.emplace_back();
    hot.key = entry.Whole("key", 0, kAny);
    hot.count = entry.Whole("count", 0, kAny);
    hot.error = entry.Whole("error", 0, hot.count);
  });
  std::uint64_t count_min = 0;
  std::uint64_t rows_left = statistics.rows;
  reader.Each("rows_by_count", kStatisticsCountsMax, [&](JsonReader entry) {
    auto& [count, rows] = statistics.rows_by_count.emplace_back();
    const std::uint64_t number = entry.Whole("count", 0, kAny32);
    if (entry.ok() && number < count_min) entry.Refuse("count", "does not ascend");
    count = static_cast<std::uint32_t>(number);
    count_min = number + 1;
    rows = entry.Whole("rows", 1, rows_left);
    rows_left -= rows;
  });
  if (reader.ok() && rows_left != 0) {
    reader.Refuse("rows_by_count", absl::StrCat("is ", rows_left, " rows short of ",
                                                statistics.rows, ", the table's"));
  }
  return statistics;
}

}  // namespace

std::string EncodeStatisticsFile(const StatisticsFile& file) {
  json tables = json::array();
  for (const TableReport& table : file.tables) {
    json entry = SpecToJson(table.spec);
    entry["statistics"] = StatisticsToJson(table.statistics);
    tables.push_back(std::move(entry));
  }
  const json document = {{"format", kStatisticsFormat},
                         {"version", kStatisticsVersion},
                         {"created_at", file.created_at},
                         {"library_version", file.library_version},
                         {"step", file.step},
                         {"tables", std::move(tables)}};
  return document.dump(kIndent, ' ', false, json::error_handler_t::replace) + "\n";
}

absl::StatusOr<StatisticsFile> DecodeStatisticsFile(std::string_view name, std::string_view bytes) {
  const std::string what = absl::StrCat("statistics '", std::string(name), "'");
  if (bytes.size() > kStatisticsBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", bytes.size(), " bytes: want at most ", kStatisticsBytesMax));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const json document, ParseJson(what, bytes, kStatisticsDepthMax));
  absl::Status status;
  JsonReader reader(what, document, status);
  const std::string format = reader.Text("format", kTextSizeMax);
  if (reader.ok() && format != kStatisticsFormat) {
    reader.Refuse("format", absl::StrCat("is '", format, "', not '", std::string(kStatisticsFormat),
                                         "': no statistics of a Longtail cluster"));
  }
  const std::uint32_t version = reader.Whole32("version", 1, kAny32);
  if (reader.ok() && version > kStatisticsVersion) {
    reader.Refuse("version", absl::StrCat(version, " is newer than ", kStatisticsVersion,
                                          ", the newest that this program reads: use a newer one"));
  }
  StatisticsFile file;
  file.created_at = reader.Text("created_at", kTextSizeMax);
  file.library_version = reader.Text("library_version", kTextSizeMax);
  file.step = reader.Whole("step", 0, kAny);
  reader.Each("tables", kTableCountMax, [&](JsonReader entry) {
    TableReport& table = file.tables.emplace_back();
    table.spec = SpecFromJson(entry);
    table.statistics = StatisticsFromJson(entry.Object("statistics"));
  });
  LONGTAIL_RETURN_IF_ERROR(status);
  return file;
}

}  // namespace longtail
