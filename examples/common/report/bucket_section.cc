#include <cstddef>

#include "examples/common/report/bar_chart.h"
#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_section.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

constexpr const char* kXLabel = "times the feature was seen in training";
constexpr double kChance = 0.5;  // The AUC of any score that knows nothing.

double ShareOf(const ClassificationMetrics& bucket, std::uint64_t example_count) {
  return Ratio(static_cast<double>(bucket.example_count), static_cast<double>(example_count));
}

// Shorter than MetricText: it has the width of a bar.
std::string BarText(const std::optional<double>& metric) {
  return metric ? FixedText(*metric, 3) : "n/a";
}

std::string Charts(const BucketView& view, std::uint64_t example_count) {
  BarChart shares{.title = "Share of examples",
                  .x_label = kXLabel,
                  .style = NumberStyle::kPercent,
                  .base = 0,
                  .colour = 3};
  BarChart auc{
      .title = "AUC (bars begin at 0.5, chance)", .x_label = kXLabel, .base = kChance, .colour = 1};
  BarChart logloss{
      .title = "Logloss (lower is better)", .x_label = kXLabel, .base = 0, .colour = 2};
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const ClassificationMetrics& bucket = view.buckets[i];
    const std::string label(kCountBuckets[i].name);
    const double share = ShareOf(bucket, example_count);
    shares.bars.push_back({.label = label, .value = share, .text = PercentText(share)});
    auc.bars.push_back({.label = label, .value = bucket.auc, .text = BarText(bucket.auc)});
    logloss.bars.push_back(
        {.label = label, .value = bucket.logloss, .text = BarText(bucket.logloss)});
  }
  return ChartGrid(BarChartHtml(auc) + BarChartHtml(logloss) + BarChartHtml(shares));
}

std::string Table(const std::string& caption, const BucketView& view, std::uint64_t example_count) {
  HtmlTable table{.caption = caption,
                  .header = {"Seen", "Examples", "Share", "Positives", "AUC", "Logloss",
                             "Norm. entropy", "Calibration"},
                  .rows = {}};
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const ClassificationMetrics& m = view.buckets[i];
    table.rows.push_back({std::string(kCountBuckets[i].name), GroupedText(m.example_count),
                          PercentText(ShareOf(m, example_count)), GroupedText(m.positive_count),
                          MetricText(m.auc, m.example_count, 4),
                          MetricText(m.logloss, m.example_count, 4),
                          MetricText(m.normalized_entropy, m.example_count, 4),
                          MetricText(m.calibration, m.example_count, 3)});
  }
  if (view.absent_count > 0) {
    table.rows.push_back({"no feature", GroupedText(view.absent_count),
                          PercentText(Ratio(static_cast<double>(view.absent_count),
                                            static_cast<double>(example_count))),
                          "", "", "", "", ""});
  }
  return TableElement(table);
}

// One view: the charts and the table of the last split that has it, the others' tables folded away.
std::string ViewHtml(const RunReport& report, const std::string& heading,
                     std::optional<BucketView> Evaluation::*view) {
  const SplitResult* last = nullptr;
  std::string folded;
  const auto table_of = [&](const SplitResult& split) {
    return Table(split.name + ", by training count", *(split.evaluation.*view),
                 split.evaluation.overall.example_count);
  };
  for (const SplitResult& split : report.splits) {
    if (!(split.evaluation.*view)) continue;
    if (last != nullptr) folded += table_of(*last);
    last = &split;
  }
  if (last == nullptr) return {};
  std::string html = "<h3>";
  html += EscapeHtml(heading + " (" + last->name + ")") + "</h3>\n";
  html += Charts(*(last->evaluation.*view), last->evaluation.overall.example_count);
  html += table_of(*last);
  if (!folded.empty()) {
    html += "<details><summary>The other splits</summary>\n" + folded + "</details>\n";
  }
  return html;
}

}  // namespace

std::string BucketSection(const RunReport& report) {
  const std::string field = report.field_name.empty() ? "the chosen field" : report.field_name;
  const std::string views =
      ViewHtml(report, "By the rarest feature of the example", &Evaluation::by_rarest) +
      ViewHtml(report, "By the feature in " + field, &Evaluation::by_field);
  if (views.empty()) return {};
  return Section("How good it is for the rare",
                 Paragraph("An average over all examples hides the tail. Here the same metrics "
                           "stand apart by how often training saw a feature of the example.") +
                     views);
}

}  // namespace longtail::examples
