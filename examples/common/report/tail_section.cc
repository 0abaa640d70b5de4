#include <cmath>

#include "examples/common/report/html_element.h"
#include "examples/common/report/line_chart.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_section.h"

namespace longtail::examples {
namespace {

std::string RankChart(const std::vector<RowsByCount>& ordered, const std::optional<ZipfFit>& fit) {
  LineChart chart{
      .title = "Lookups of a row by its rank",
      .x = {.label = "rank of the row", .scale = AxisScale::kLog, .style = NumberStyle::kCount},
      .y = {.label = "lookups", .scale = AxisScale::kLog, .style = NumberStyle::kCount},
      .series = {{.name = "rows", .points = RankCurve(ordered)}}};
  if (fit) {
    Series line{.name = "Zipf fit, exponent " + FixedText(fit->exponent, 2),
                .look = SeriesLook::kDashedLine,
                .points = {}};
    for (const double rank : {1.0, static_cast<double>(fit->rank_last)}) {
      line.points.push_back({.x = rank, .y = fit->scale * std::pow(rank, -fit->exponent)});
    }
    chart.series.push_back(line);
  }
  return LineChartHtml(chart);
}

std::string CoverageChart(const std::vector<RowsByCount>& ordered) {
  return LineChartHtml(
      {.title = "Share of lookups by share of rows",
       .x = {.label = "share of rows, most frequent first",
             .scale = AxisScale::kLog,
             .style = NumberStyle::kPercent},
       .y = {.label = "share of lookups", .style = NumberStyle::kPercent},
       .series = {{.name = "share of lookups", .points = CoverageCurve(ordered)}}});
}

}  // namespace

std::string TailSection(const RunReport& report) {
  const std::vector<RowsByCount> ordered = Ordered(report.rank_frequency);
  if (ordered.empty()) return {};
  const TailSummary summary = Summarize(ordered);
  const std::optional<ZipfFit> fit = FitZipf(ordered);
  const double once =
      Ratio(static_cast<double>(summary.seen_once_count), static_cast<double>(summary.row_count));
  std::string text = GroupedText(summary.row_count) + " rows took " +
                     GroupedText(summary.lookup_count) + " lookups. " +
                     GroupedText(summary.seen_once_count) + " rows (" + PercentText(once) +
                     ") were seen once. The most frequent 1 % of the rows took " +
                     PercentText(LookupShare(ordered, 0.01)) + " of the lookups.";
  if (fit) {
    text += " The line fitted to the ranks with at least 5 lookups has the Zipf exponent " +
            FixedText(fit->exponent, 2) + ".";
  }
  return Section("The long tail",
                 Paragraph(text) + ChartGrid(RankChart(ordered, fit) + CoverageChart(ordered)));
}

}  // namespace longtail::examples
