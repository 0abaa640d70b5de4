#include "cli/gpu_selfcheck_answer.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/inspect_answer.h"
#include "cli/text_columns.h"

namespace longtail::cli {
namespace {

double PerSecond(double amount, double seconds) {
  return seconds > 0 ? amount / seconds : 0;
}

std::string FigureText(double figure) {
  return absl::StrFormat("%.4g", figure / 1e9);
}

// Figures first: they are aligned to the right.
std::vector<std::string> LineOfCheck(const device::CheckResult& result, bool is_timed) {
  std::vector<std::string> line;
  if (is_timed) {
    line = {absl::StrFormat("%.1f", result.seconds * 1e6),
            FigureText(PerSecond(result.work.bytes, result.seconds)),
            FigureText(PerSecond(result.work.flops, result.seconds)),
            absl::StrFormat("%.0f %%", result.roofline * 100)};
  }
  line.push_back(result.difference.empty() ? "ok" : "FAIL");
  line.push_back(result.name);
  line.push_back(result.tolerance == 0 ? "bits" : absl::StrFormat("within %.0e", result.tolerance));
  return line;
}

}  // namespace

std::string GpuSelfcheckText(const GpuSelfcheckReport& report) {
  const device::Peaks& peaks = report.checks.peaks;
  const bool is_timed = peaks.bytes_per_second > 0;
  std::string text = absl::StrCat(report.device, "\n");
  std::vector<std::vector<std::string>> lines = {{"", "check", "compared"}};
  if (is_timed) {
    lines = {{"us", "GB/s", "GFLOP/s", "roofline", "", "check", "compared"}};
    absl::StrAppend(&text, "measured: a copy within its memory ",
                    FigureText(peaks.bytes_per_second), " GB/s, from the host ",
                    FigureText(peaks.host_bytes_per_second), " GB/s, a product ",
                    FigureText(peaks.flops_per_second), " GFLOP/s\n");
  }
  for (const device::CheckResult& result : report.checks.results) {
    lines.push_back(LineOfCheck(result, is_timed));
  }
  absl::StrAppend(&text, ColumnsText(lines, is_timed ? 4 : 0));
  for (const device::CheckResult& result : report.checks.results) {
    if (result.difference.empty()) continue;
    absl::StrAppend(&text, result.name, ": ", result.difference, "\n");
  }
  const device::GraphReport& graphs = report.graphs;
  absl::StrAppendFormat(&text,
                        "%s  graphs: %d checks recorded and launched again, %d commands by "
                        "%d launches\n",
                        graphs.is_well() ? "ok" : "FAIL", graphs.checks, graphs.commands,
                        graphs.launches);
  for (const std::string& difference : graphs.differences) {
    absl::StrAppend(&text, "by graph, ", difference, "\n");
  }
  const TrainingComparison& training = report.training;
  if (training.steps != 0) {
    absl::StrAppendFormat(&text,
                          "%s  training of %d steps: loss %.6f to %.6f, the CPU's %.6f; steps "
                          "differ by %.1e at most; parameters and rows %s\n",
                          training.is_well ? "ok" : "FAIL", training.steps, training.first_loss,
                          training.last_loss, training.cpu_last_loss, training.difference_max,
                          training.is_same ? "are the same bits" : "differ in bits");
    absl::StrAppendFormat(&text, "%s  the same, %d of its steps by graph: %s\n",
                          training.is_same_by_graph ? "ok" : "FAIL", training.graph_steps,
                          training.is_same_by_graph ? "the same bits" : "other bits");
  }
  absl::StrAppend(&text, report.is_well() ? "All is well.\n" : "Not all is well.\n");
  return text;
}

std::string GpuSelfcheckJson(const GpuSelfcheckReport& report) {
  const device::Peaks& peaks = report.checks.peaks;
  nlohmann::json document = {{"device", report.device},
                             {"well", report.is_well()},
                             {"peaks",
                              {{"bytes_per_second", peaks.bytes_per_second},
                               {"host_bytes_per_second", peaks.host_bytes_per_second},
                               {"flops_per_second", peaks.flops_per_second}}},
                             {"checks", nlohmann::json::array()}};
  for (const device::CheckResult& result : report.checks.results) {
    document["checks"].push_back(
        {{"name", result.name},
         {"well", result.difference.empty()},
         {"tolerance", result.tolerance},
         {"difference", result.difference},
         {"seconds", result.seconds},
         {"bytes_per_second", PerSecond(result.work.bytes, result.seconds)},
         {"flops_per_second", PerSecond(result.work.flops, result.seconds)},
         {"roofline", result.roofline}});
  }
  const device::GraphReport& graphs = report.graphs;
  document["graphs"] = {{"well", graphs.is_well()},
                        {"checks", graphs.checks},
                        {"commands", graphs.commands},
                        {"launches", graphs.launches},
                        {"differences", graphs.differences}};
  const TrainingComparison& training = report.training;
  document["training"] = {{"steps", training.steps},
                          {"well", training.is_well},
                          {"first_loss", training.first_loss},
                          {"last_loss", training.last_loss},
                          {"cpu_last_loss", training.cpu_last_loss},
                          {"difference_max", training.difference_max},
                          {"same_bits", training.is_same},
                          {"graph_steps", training.graph_steps},
                          {"same_bits_by_graph", training.is_same_by_graph}};
  return LineOf(document);
}

}  // namespace longtail::cli
