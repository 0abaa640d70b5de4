// `longtail gpu-selfcheck`: does a device compute what the CPU does, and how fast.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "worker/device/open_device.h"
#include "worker/device/selfcheck/graph_checks.h"
#include "worker/device/selfcheck/run_checks.h"

namespace longtail::cli {

struct GpuSelfcheckOptions {
  std::string device = "cuda:0";  ///< As of ParseDeviceName.
  std::string cuda_library{};     ///< Empty: see cuda_library.h.
  device::CheckOptions checks{};
  std::uint32_t training_steps = 60;  ///< 0: no training.
};

/// A small training there and on the CPU.
struct TrainingComparison {
  std::uint32_t steps = 0;
  double first_loss = 0;
  double last_loss = 0;
  double cpu_last_loss = 0;
  double difference_max = 0;  ///< Of the losses of a step, divided by the CPU's.
  bool is_same = false;       ///< Dense parameters and rows, to the bit.
  // There once more, its steps launched as graphs.
  std::uint64_t graph_steps = 0;  ///< That were.
  bool is_same_by_graph = false;  ///< As command by command, to the bit.
  bool is_well = false;  ///< The loss fell, no step's is farther off than allowed, and graphs do
                         ///< what their commands do.
};

/// How far a step's loss may be off on a device whose sums have another order.
inline constexpr double kLossTolerance = 1e-3;

struct GpuSelfcheckReport {
  std::string device;  ///< OpenDevice's sentence.
  device::CheckReport checks;
  device::GraphReport graphs;
  TrainingComparison training;

  bool is_well() const { return checks.is_well() && graphs.is_well() && training.is_well; }
};

/// Errors: InvalidArgument for the name; as OpenDevice; those of the device.
absl::StatusOr<GpuSelfcheckReport> RunGpuSelfcheck(const GpuSelfcheckOptions& options);

}  // namespace longtail::cli
