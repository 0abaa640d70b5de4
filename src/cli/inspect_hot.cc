#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/hot_keys.h"
#include "cli/inspect.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

// JSON has no number that is not finite; the text has "inf" and "nan".
json NormJson(double norm) {
  return std::isfinite(norm) ? json(norm) : json(nullptr);
}

std::string TextOf(const std::string& name, const HotKeys& hot) {
  std::vector<std::vector<std::string>> lines = {
      {"rank", "key", "count", "share", "last step", "weight norm"}};
  std::uint64_t shown = 0;
  for (const HotKey& row : hot.Sorted()) {
    lines.push_back({absl::StrCat(lines.size()), absl::StrCat(row.key), GroupedText(row.count),
                     ShareText(row.count, hot.occurrences()), GroupedText(row.last_step),
                     ShortText(row.weight_norm)});
    shown += row.count;
  }
  const std::string title = absl::StrCat("\ntable ", SafeText(name), ": ");
  if (lines.size() == 1) return title + "no rows\n";
  return absl::StrCat(title, "the ", CountedText(lines.size() - 1, "hottest key"), " of ",
                      GroupedText(hot.rows()), " have ", ShareText(shown, hot.occurrences()),
                      " of ", CountedText(hot.occurrences(), "occurrence"), "\n\n",
                      ColumnsText(lines, lines[0].size()));
}

json JsonOf(const std::string& name, const HotKeys& hot) {
  json keys = json::array();
  for (const HotKey& row : hot.Sorted()) {
    keys.push_back({{"rank", keys.size() + 1},
                    {"key", row.key},
                    {"count", row.count},
                    {"share", ShareOf(row.count, hot.occurrences())},
                    {"last_step", row.last_step},
                    {"weight_norm", NormJson(row.weight_norm)}});
  }
  return {{"name", name},
          {"rows", hot.rows()},
          {"occurrences", hot.occurrences()},
          {"keys", std::move(keys)}};
}

std::string UsesText(const TableReport& table, std::size_t top) {
  const std::vector<HotKeyCount>& hot = table.statistics.hot_keys;
  const std::string title = absl::StrCat("\ntable ", SafeText(table.spec.name), ": ");
  if (hot.empty()) return title + "no uses seen\n";
  std::vector<std::vector<std::string>> lines = {{"rank", "key", "uses", "too high by"}};
  for (std::size_t i = 0; i < std::min(top, hot.size()); ++i) {
    lines.push_back({absl::StrCat(lines.size()), absl::StrCat(hot[i].key),
                     GroupedText(hot[i].count), GroupedText(hot[i].error)});
  }
  return absl::StrCat(title, "the ", CountedText(lines.size() - 1, "hottest key"), " of about ",
                      GroupedText(table.statistics.distinct_keys),
                      ", by pulls and occurrences pushed, estimated\n\n",
                      ColumnsText(lines, lines[0].size()));
}

json UsesJson(const TableReport& table, std::size_t top) {
  const std::vector<HotKeyCount>& hot = table.statistics.hot_keys;
  json keys = json::array();
  for (std::size_t i = 0; i < std::min(top, hot.size()); ++i) {
    keys.push_back(
        {{"rank", i + 1}, {"key", hot[i].key}, {"uses", hot[i].count}, {"error", hot[i].error}});
  }
  return {{"name", table.spec.name},
          {"distinct_keys", table.statistics.distinct_keys},
          {"keys", std::move(keys)}};
}

absl::StatusOr<std::string> FromStatistics(const InspectRequest& request, std::size_t top) {
  LONGTAIL_ASSIGN_OR_RETURN(const StatisticsSource source,
                            OpenStatistics(request.checkpoint, request.table));
  return AnswerOf(
      source, request.form, [&](std::size_t place) { return UsesText(source.table(place), top); },
      [&](std::size_t place) { return UsesJson(source.table(place), top); });
}

}  // namespace

absl::StatusOr<std::string> InspectHot(const InspectRequest& request, std::size_t top) {
  if (IsStatisticsFile(request.checkpoint)) return FromStatistics(request, top);
  LONGTAIL_ASSIGN_OR_RETURN(CheckpointSource source,
                            OpenCheckpoint(request.checkpoint, request.table));
  std::vector<HotKeys> hot;
  for (std::size_t place = 0; place < source.selected.size(); ++place) {
    hot.emplace_back(top, source.spec(place).dim);
  }
  LONGTAIL_RETURN_IF_ERROR(
      ReadAll(source, [&](std::size_t place, const RowBlock& rows) { hot[place].Add(rows); }));
  return AnswerOf(
      source, request.form,
      [&](std::size_t place) { return TextOf(source.spec(place).name, hot[place]); },
      [&](std::size_t place) { return JsonOf(source.spec(place).name, hot[place]); });
}

}  // namespace longtail::cli
