#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/count_histogram.h"
#include "cli/inspect.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "cli/text_columns.h"

namespace longtail::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kBarWidth = 40;

std::string BinText(const CountBin& bin) {
  const std::string low = GroupedText(bin.count_min);
  return bin.count_min == bin.count_max ? low : absl::StrCat(low, "-", GroupedText(bin.count_max));
}

std::string TextOf(const std::string& name, const CountHistogram& histogram, BarStyle style) {
  std::string text =
      absl::StrCat("\ntable ", SafeText(name), ": ", CountedText(histogram.rows(), "row"), ", ",
                   CountedText(histogram.occurrences(), "occurrence"), "\n");
  const std::vector<CountBin> bins = histogram.Bins();
  if (bins.empty()) return text;
  const std::uint64_t rows_max = std::ranges::max(bins, {}, &CountBin::rows).rows;
  std::vector<std::vector<std::string>> lines = {{"trained", "rows", "share"}};
  for (const CountBin& bin : bins) {
    lines.push_back({BinText(bin), GroupedText(bin.rows), ShareText(bin.rows, histogram.rows()),
                     BarText(bin.rows, rows_max, kBarWidth, style)});
  }
  absl::StrAppend(&text, "\n", ColumnsText(lines, lines[0].size()), "\n");
  lines = {{"rank", "trained"}};
  for (const RankCount& sample : histogram.RankSample()) {
    lines.push_back({GroupedText(sample.rank), GroupedText(sample.count)});
  }
  return text + ColumnsText(lines, lines[0].size());
}

json JsonOf(const std::string& name, const CountHistogram& histogram) {
  json bins = json::array();
  for (const CountBin& bin : histogram.Bins()) {
    bins.push_back({{"count_min", bin.count_min},
                    {"count_max", bin.count_max},
                    {"rows", bin.rows},
                    {"rows_share", ShareOf(bin.rows, histogram.rows())}});
  }
  json ranks = json::array();
  for (const RankCount& sample : histogram.RankSample()) {
    ranks.push_back({{"rank", sample.rank}, {"count", sample.count}});
  }
  return {{"name", name},
          {"rows", histogram.rows()},
          {"occurrences", histogram.occurrences()},
          {"bins", std::move(bins)},
          {"ranks", std::move(ranks)}};
}

absl::StatusOr<std::string> FromStatistics(const InspectRequest& request) {
  LONGTAIL_ASSIGN_OR_RETURN(const StatisticsSource source,
                            OpenStatistics(request.checkpoint, request.table));
  const auto histogram_of = [&](std::size_t place) {
    CountHistogram histogram;
    for (const auto& [count, rows] : source.table(place).statistics.rows_by_count) {
      histogram.Add(count, rows);
    }
    return histogram;
  };
  return AnswerOf(
      source, request.form,
      [&](std::size_t place) {
        return TextOf(source.table(place).spec.name, histogram_of(place), request.bars);
      },
      [&](std::size_t place) {
        return JsonOf(source.table(place).spec.name, histogram_of(place));
      });
}

}  // namespace

absl::StatusOr<std::string> InspectHist(const InspectRequest& request) {
  if (IsStatisticsFile(request.checkpoint)) return FromStatistics(request);
  LONGTAIL_ASSIGN_OR_RETURN(CheckpointSource source,
                            OpenCheckpoint(request.checkpoint, request.table));
  std::vector<CountHistogram> histograms(source.selected.size());
  LONGTAIL_RETURN_IF_ERROR(ReadAll(
      source, [&](std::size_t place, const RowBlock& rows) { histograms[place].Add(rows); }));
  return AnswerOf(
      source, request.form,
      [&](std::size_t place) {
        return TextOf(source.spec(place).name, histograms[place], request.bars);
      },
      [&](std::size_t place) { return JsonOf(source.spec(place).name, histograms[place]); });
}

}  // namespace longtail::cli
