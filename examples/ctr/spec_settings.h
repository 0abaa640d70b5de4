// Optimizers and initializers as config files have them.
//
//   sparse optimizer  rule "sgd" | "momentum" | "adagrad" | "rowwise_adagrad" | "adam" | "ftrl"
//   with
//                     that rule's own constants; weight_decay, gradient_clip, gradient_norm_clip,
//                     weight_clip
//   dense optimizer   rule "sgd" | "adagrad" | "adam"; weight_decay, gradient_clip
//   initializer       kind "constant" {value} | "uniform" {low, high} | "normal" {mean, stddev} |
//                     "truncated_normal" {mean, stddev}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/nn/dense_optimizer.h"
#include "longtail/initializer_spec.h"
#include "longtail/optimizer_spec.h"

namespace longtail::examples {

/// Errors: InvalidArgument, beginning with `place` and naming key, value and what was wanted.
absl::StatusOr<OptimizerSpec> ParseSparseOptimizer(const nlohmann::json& object,
                                                   const std::string& place);
absl::StatusOr<DenseOptimizerSpec> ParseDenseOptimizer(const nlohmann::json& object,
                                                       const std::string& place);
absl::StatusOr<InitializerSpec> ParseInitializer(const nlohmann::json& object,
                                                 const std::string& place);

}  // namespace longtail::examples
