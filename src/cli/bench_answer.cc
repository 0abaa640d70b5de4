#include "cli/bench_answer.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/inspect_answer.h"
#include "cli/number_text.h"
#include "cli/text_columns.h"

namespace longtail::cli {
namespace {

double RowsPerSecond(const BenchFigure& figure) {
  return static_cast<double>(figure.rows) / absl::ToDoubleSeconds(figure.time);
}

double BytesPerSecond(const BenchFigure& figure) {
  return static_cast<double>(figure.bytes) / absl::ToDoubleSeconds(figure.time);
}

std::string MillisecondsText(absl::Duration duration) {
  return absl::StrFormat("%.2f ms", absl::ToDoubleMilliseconds(duration));
}

}  // namespace

std::string BenchText(const BenchOptions& options, const std::vector<BenchFigure>& figures) {
  std::vector<std::vector<std::string>> lines = {
      {"", "M rows/s", "MB/s", "calls", "median", "p99", "longest"}};
  for (const BenchFigure& figure : figures) {
    lines.push_back({figure.kind, absl::StrFormat("%.3f", RowsPerSecond(figure) / 1e6),
                     absl::StrFormat("%.1f", BytesPerSecond(figure) / 1e6),
                     GroupedText(figure.calls), MillisecondsText(figure.median),
                     MillisecondsText(figure.p99), MillisecondsText(figure.longest)});
  }
  return absl::StrCat(CountedText(options.keys, "key"), " a call of ",
                      CountedText(options.rows, "row"), ", dim ", options.dim, ", ", options.depth,
                      " in flight; table ", options.table, "\n", ColumnsText(lines, 7));
}

std::string BenchJson(const BenchOptions& options, const std::vector<BenchFigure>& figures) {
  nlohmann::json document = {{"table", options.table}, {"dim", options.dim},
                             {"rows", options.rows},   {"keys", options.keys},
                             {"depth", options.depth}, {"zipf", options.zipf}};
  for (const BenchFigure& figure : figures) {
    document[figure.kind] = {{"calls", figure.calls},
                             {"rows", figure.rows},
                             {"bytes", figure.bytes},
                             {"seconds", absl::ToDoubleSeconds(figure.time)},
                             {"rows_per_second", RowsPerSecond(figure)},
                             {"bytes_per_second", BytesPerSecond(figure)},
                             {"median_seconds", absl::ToDoubleSeconds(figure.median)},
                             {"p99_seconds", absl::ToDoubleSeconds(figure.p99)},
                             {"longest_seconds", absl::ToDoubleSeconds(figure.longest)}};
  }
  return LineOf(document);
}

}  // namespace longtail::cli
