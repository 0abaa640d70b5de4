#include "examples/common/report/result_table.h"

#include <cstddef>
#include <ostream>

#include "examples/common/report/number_text.h"

namespace longtail::examples {
namespace {

// The reason stands in the AUC column alone: repeated, it would make the table too wide.
std::string Cell(const std::optional<double>& metric, int digits) {
  return metric ? FixedText(*metric, digits) : "n/a";
}

TextTable SplitTable(const RunReport& report) {
  TextTable table{.title = "Result",
                  .header = {"split", "examples", "AUC", "GAUC", "logloss", "NE", "calibration"},
                  .rows = {}};
  for (const SplitResult& split : report.splits) {
    const ClassificationMetrics& m = split.evaluation.overall;
    const std::optional<GroupAuc>& groups = split.evaluation.groups;
    table.rows.push_back({split.name, GroupedText(m.example_count),
                          MetricText(m.auc, m.example_count, 4),
                          groups ? Cell(groups->value, 4) : "-", Cell(m.logloss, 4),
                          Cell(m.normalized_entropy, 4), Cell(m.calibration, 3)});
  }
  return table;
}

TextTable BucketTable(const std::string& title, const BucketView& view,
                      std::uint64_t example_count) {
  TextTable table{.title = title,
                  .header = {"seen", "examples", "share", "AUC", "logloss", "NE", "calibration"},
                  .rows = {}};
  const auto share = [&](std::uint64_t part) {
    return PercentText(Ratio(static_cast<double>(part), static_cast<double>(example_count)));
  };
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    const ClassificationMetrics& m = view.buckets[i];
    table.rows.push_back({std::string(kCountBuckets[i].name), GroupedText(m.example_count),
                          share(m.example_count), MetricText(m.auc, m.example_count, 4),
                          Cell(m.logloss, 4), Cell(m.normalized_entropy, 4),
                          Cell(m.calibration, 3)});
  }
  if (view.absent_count > 0) {
    table.rows.push_back({"none", GroupedText(view.absent_count), share(view.absent_count)});
  }
  return table;
}

TextTable StalenessTable(const std::vector<std::uint64_t>& pulls) {
  TextTable table{.title = "Pulls for training, by how many steps old their rows may have been",
                  .header = {"steps", "pulls", "share"},
                  .rows = {}};
  std::uint64_t all = 0;
  for (const std::uint64_t count : pulls) all += count;
  for (std::size_t steps = 0; steps < pulls.size(); ++steps) {
    table.rows.push_back(
        {GroupedText(steps), GroupedText(pulls[steps]),
         PercentText(Ratio(static_cast<double>(pulls[steps]), static_cast<double>(all)))});
  }
  return table;
}

TextTable RowCacheTable(const RowCacheUse& use) {
  const auto share = [&](std::uint64_t part) {
    return PercentText(Ratio(static_cast<double>(part), static_cast<double>(use.rows())));
  };
  return {.title = "Rows for training, by where they came from",
          .header = {"from", "rows", "share"},
          .rows = {{"row cache", GroupedText(use.rows_served), share(use.rows_served)},
                   {"servers", GroupedText(use.rows_missed), share(use.rows_missed)}}};
}

}  // namespace

void PrintResultTable(const RunReport& report, std::ostream& out, TerminalStyle style) {
  if (report.splits.empty()) return;
  out << TextOf(SplitTable(report), style);
  const SplitResult& last = report.splits.back();
  const std::uint64_t example_count = last.evaluation.overall.example_count;
  if (last.evaluation.by_rarest) {
    out << "\n"
        << TextOf(BucketTable(last.name + ", by how often training saw the rarest feature",
                              *last.evaluation.by_rarest, example_count),
                  style);
  }
  if (last.evaluation.by_field) {
    const std::string field = report.field_name.empty() ? "the chosen field" : report.field_name;
    out << "\n"
        << TextOf(BucketTable(last.name + ", by how often training saw the feature in " + field,
                              *last.evaluation.by_field, example_count),
                  style);
  }
  if (!report.pulls_by_staleness.empty()) {
    out << "\n" << TextOf(StalenessTable(report.pulls_by_staleness), style);
  }
  if (report.row_cache.rows() != 0) {
    out << "\n" << TextOf(RowCacheTable(report.row_cache), style);
  }
}

}  // namespace longtail::examples
