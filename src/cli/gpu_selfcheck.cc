#include "cli/gpu_selfcheck.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"
#include "cli/gpu_selfcheck_training.h"
#include "worker/device/cpu_device.h"

namespace longtail::cli {
namespace {

// Examples of the checks that are recorded.
constexpr std::uint32_t kGraphExamples = 150;

struct SmallTrainings {
  SmallTrainingResult there;
  SmallTrainingResult there_by_graph;
  SmallTrainingResult cpu;
};

// Written so that a loss that is no number is not well.
TrainingComparison Compare(const SmallTrainings& trainings, bool wants_bits) {
  const auto& [there, by_graph, cpu] = trainings;
  TrainingComparison made{.steps = static_cast<std::uint32_t>(there.losses.size()),
                          .first_loss = there.losses.front(),
                          .last_loss = there.losses.back(),
                          .cpu_last_loss = cpu.losses.back()};
  bool is_near = true;
  for (std::size_t step = 0; step < there.losses.size(); ++step) {
    const double difference = std::abs(there.losses[step] - cpu.losses[step]) / cpu.losses[step];
    made.difference_max = std::max(made.difference_max, difference);
    is_near = is_near && difference <= kLossTolerance;
  }
  made.is_same = there.parameters == cpu.parameters && there.table_hash == cpu.table_hash;
  made.graph_steps = by_graph.graph_steps;
  made.is_same_by_graph = there.parameters == by_graph.parameters &&
                          there.table_hash == by_graph.table_hash && by_graph.graph_steps != 0;
  made.is_well = is_near && made.last_loss < made.first_loss && (made.is_same || !wants_bits) &&
                 made.is_same_by_graph;
  return made;
}

}  // namespace

absl::StatusOr<GpuSelfcheckReport> RunGpuSelfcheck(const GpuSelfcheckOptions& options) {
  device::DeviceOptions wanted{.cuda_library = options.cuda_library};
  LONGTAIL_ASSIGN_OR_RETURN(wanted.name, device::ParseDeviceName(options.device));
  LONGTAIL_ASSIGN_OR_RETURN(const device::OpenedDevice opened, device::OpenDevice(wanted));
  GpuSelfcheckReport report{.device = opened.sentence, .checks = {}, .graphs = {}, .training = {}};
  LONGTAIL_ASSIGN_OR_RETURN(
      report.checks, device::RunChecks(*opened.device, device::AllDeviceChecks(), options.checks));
  LONGTAIL_ASSIGN_OR_RETURN(
      report.graphs,
      device::RunGraphChecks(*opened.device, device::AllDeviceChecks(), kGraphExamples));
  if (options.training_steps == 0) {
    report.training.is_well = true;
    return report;
  }
  device::CpuDevice cpu({});
  SmallTrainingOptions training{.steps = options.training_steps};
  SmallTrainings trainings;
  LONGTAIL_ASSIGN_OR_RETURN(trainings.there, TrainSmallModel(*opened.device, training));
  LONGTAIL_ASSIGN_OR_RETURN(trainings.cpu, TrainSmallModel(cpu, training));
  training.by_graph = true;
  LONGTAIL_ASSIGN_OR_RETURN(trainings.there_by_graph, TrainSmallModel(*opened.device, training));
  report.training = Compare(trainings, opened.device->is_host());
  return report;
}

}  // namespace longtail::cli
