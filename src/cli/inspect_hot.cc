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

}  // namespace

absl::StatusOr<std::string> InspectHot(const InspectRequest& request, std::size_t top) {
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
