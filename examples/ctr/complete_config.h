// What a trainer adds to a config before it makes its table, its worker and its model.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "examples/common/data/feature_layout.h"
#include "examples/ctr/train_config.h"
#include "longtail/worker.h"

namespace longtail::examples {

/// The config with the data's fields in its model and its table, for a model of
/// config.batch / config.workers examples.
///
/// Errors: InvalidArgument if they do not divide; as Validate(ModelSpec).
absl::StatusOr<TrainConfig> CompleteConfig(const TrainConfig& config, const FeatureLayout& layout);

/// How the worker of a rank connects.
WorkerOptions WorkerOptionsOf(const TrainConfig& config, std::uint32_t rank);

/// What gradients of a step are multiplied by: each example's loss, and dense gradients
/// beside that, for a global batch of `size` examples.
struct GradientScales {
  float examples = 1;
  float dense = 1;
};
GradientScales GradientScalesOf(const TrainConfig& config, std::size_t size);

}  // namespace longtail::examples
