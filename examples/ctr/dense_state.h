// The dense half of a training in the trainer state of a checkpoint: parameters, batch norm's
// statistics, the optimizer, the step. The same for all trainers, so one goes on from another's.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/ctr/models/model.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {

void SaveDense(const ModelParameters& shared, const DenseOptimizer& optimizer, std::uint64_t step,
               TrainerState& state);

/// Errors: DataLoss, naming what is missing; as Parameters::Restore and DenseOptimizer::Restore.
absl::Status RestoreDense(const TrainerState& state, ModelParameters& shared,
                          DenseOptimizer& optimizer, std::uint64_t& step);

/// Multiplies the initial values of weights, the tensors that decay; biases and batch norm's scales
/// are left alone.
void ScaleWeights(float scale, Parameters& parameters);

}  // namespace longtail::examples
