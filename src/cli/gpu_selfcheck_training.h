// The end-to-end part of `longtail gpu-selfcheck`: a small model trained on a device, its rows
// in an embedded cluster.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/device/device.h"

namespace longtail::cli {

struct SmallTrainingOptions {
  std::uint32_t steps = 60;
  std::uint32_t batch = 256;
  bool by_graph = false;  ///< Steps of a kind are launched as one (step_graphs.h).
};

struct SmallTrainingResult {
  std::vector<double> losses;     ///< Mean of each step, before it.
  std::vector<float> parameters;  ///< Dense ones, at the end.
  std::uint64_t table_hash = 0;   ///< Of the rows, at the end.
  std::uint64_t graph_steps = 0;  ///< That were launched as one.
};

/// Trains linear weights, pairs and a hidden layer, two steps in flight. The same bits each time on
/// one device.
///
/// Errors: those of the device and of the cluster.
absl::StatusOr<SmallTrainingResult> TrainSmallModel(device::Device& device,
                                                    const SmallTrainingOptions& options);

}  // namespace longtail::cli
