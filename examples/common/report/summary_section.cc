#include "examples/common/report/html_element.h"
#include "examples/common/report/number_text.h"
#include "examples/common/report/report_section.h"
#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

std::string Tile(std::string_view name, std::string_view value) {
  return "<li><span>" + EscapeHtml(name) + "</span><strong>" + EscapeHtml(value) +
         "</strong></li>\n";
}

}  // namespace

std::string TilesHtml(const RunReport& report) {
  std::string html = "<ul class=\"tiles\">\n";
  if (!report.splits.empty()) {
    const SplitResult& split = report.splits.back();
    const ClassificationMetrics& metrics = split.evaluation.overall;
    html += Tile("AUC, " + split.name, MetricText(metrics.auc, metrics.example_count, 4));
    html += Tile("Logloss, " + split.name, MetricText(metrics.logloss, metrics.example_count, 4));
  }
  const std::uint64_t bytes = report.memory.total();
  const TailSummary tail = Summarize(report.rank_frequency);
  if (tail.row_count > 0) {
    html += Tile("Rows", CompactText(static_cast<double>(tail.row_count)));
    html += Tile("Rows seen once", PercentText(Ratio(static_cast<double>(tail.seen_once_count),
                                                     static_cast<double>(tail.row_count))));
  }
  if (bytes > 0) html += Tile("Table memory", BytesText(bytes));
  if (report.train_seconds > 0) {
    const double speed = static_cast<double>(report.samples_trained) / report.train_seconds;
    html += Tile("Samples/s", CompactText(speed));
  }
  html += Tile("Total time", DurationText(report.total_seconds));
  return html + "</ul>\n";
}

std::string SummarySection(const RunReport& report) {
  if (report.splits.empty()) return {};
  HtmlTable table{.caption = "Metrics of each split",
                  .header = {"Split", "Examples", "Positives", "AUC", "GAUC", "Logloss",
                             "Norm. entropy", "Calibration", "Time"},
                  .rows = {}};
  std::string group_note;
  for (const SplitResult& split : report.splits) {
    const ClassificationMetrics& m = split.evaluation.overall;
    const std::optional<GroupAuc>& groups = split.evaluation.groups;
    const double positives =
        Ratio(static_cast<double>(m.positive_count), static_cast<double>(m.example_count));
    table.rows.push_back({split.name, GroupedText(m.example_count), PercentText(positives),
                          MetricText(m.auc, m.example_count, 4),
                          groups ? MetricText(groups->value, m.example_count, 4) : "no groups",
                          MetricText(m.logloss, m.example_count, 4),
                          MetricText(m.normalized_entropy, m.example_count, 4),
                          MetricText(m.calibration, m.example_count, 3),
                          DurationText(split.seconds)});
    if (groups) {
      group_note = " GAUC of " + split.name + " averages " + GroupedText(groups->group_count) +
                   " groups; " + GroupedText(groups->one_class_count) +
                   " groups of one class rank nothing and are left out.";
    }
  }
  const std::string notes =
      "AUC is exact, ties count half. Normalized entropy is the logloss over that of always "
      "predicting the mean label: below 1 is better than that. Calibration is the mean prediction "
      "over the mean label: 1 is right.";
  return Section("Result", TableElement(table) + Paragraph(notes + group_note));
}

}  // namespace longtail::examples
