#include "worker/device/selfcheck/graph_checks.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "worker/device/cpu_device.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kRunWaitMax = absl::Minutes(2);
constexpr std::uint64_t kSeed = 21;
constexpr int kTimes = 2;

// What a check leaves that is done some times, command by command.
absl::StatusOr<std::unique_ptr<Trial>> Want(Device& device, Stream& stream,
                                            const DeviceCheck& check, std::uint32_t examples) {
  auto trial = std::make_unique<Trial>(device, stream, kSeed);
  const Launch launch = check.prepare(*trial, examples);
  LONGTAIL_RETURN_IF_ERROR(trial->status());
  for (int time = 0; time < kTimes; ++time) launch.enqueue(stream);
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kRunWaitMax));
  LONGTAIL_RETURN_IF_ERROR(trial->ReadBack());
  return trial;
}

absl::StatusOr<std::unique_ptr<Graph>> Record(Stream& stream, const Launch& launch) {
  LONGTAIL_RETURN_IF_ERROR(stream.BeginCapture());
  launch.enqueue(stream);
  return stream.EndCapture();
}

// The difference, or nothing; whatever was recorded is counted.
absl::StatusOr<std::string> Compare(Device& device, Stream& stream, const Trial& want,
                                    const DeviceCheck& check, std::uint32_t examples,
                                    GraphReport& report) {
  Trial trial(device, stream, kSeed);
  const Launch launch = check.prepare(trial, examples);
  LONGTAIL_RETURN_IF_ERROR(trial.status());
  const absl::StatusOr<std::unique_ptr<Graph>> graph = Record(stream, launch);
  if (!graph.ok()) return std::string(graph.status().message());
  for (int time = 0; time < kTimes; ++time) stream.Replay(**graph);
  LONGTAIL_RETURN_IF_ERROR(stream.Finish(kRunWaitMax));
  LONGTAIL_RETURN_IF_ERROR(trial.ReadBack());
  ++report.checks;
  report.commands += (*graph)->command_count() * kTimes;
  report.launches += kTimes;
  return trial.DifferenceFrom(want, check.tolerance * kTimes);
}

absl::Status Named(const absl::Status& status, const std::string& name) {
  return absl::Status(
      status.code(),
      absl::StrCat("check '", name, "' by graph: ", absl::string_view(status.message())));
}

}  // namespace

absl::StatusOr<GraphReport> RunGraphChecks(Device& device, const std::vector<DeviceCheck>& checks,
                                           std::uint32_t examples) {
  const std::uint32_t items = CheckItemsMax(examples);
  CpuDevice reference({.streams = CpuStreams::kInline});
  LONGTAIL_ASSIGN_OR_RETURN(const auto reference_stream,
                            reference.MakeStream({.name = "reference", .count_max = items}));
  LONGTAIL_ASSIGN_OR_RETURN(const auto stream,
                            device.MakeStream({.name = "selfcheck", .count_max = items}));
  GraphReport report;
  for (const DeviceCheck& check : checks) {
    if (!check.is_recordable) continue;
    const auto want = Want(reference, *reference_stream, check, examples);
    if (!want.ok()) return Named(want.status(), check.name);
    const auto difference = Compare(device, *stream, **want, check, examples, report);
    if (!difference.ok()) return Named(difference.status(), check.name);
    if (!difference->empty()) {
      report.differences.push_back(absl::StrCat(check.name, ": ", *difference));
    }
  }
  return report;
}

}  // namespace longtail::device
