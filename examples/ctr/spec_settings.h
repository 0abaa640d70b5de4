// Optimizers, initializers, formats and eviction of rows, as config files have them.
//
//   sparse optimizer  rule "sgd" | "momentum" | "adagrad" | "rowwise_adagrad" | "adam" | "ftrl"
//   with
//                     that rule's own constants; weight_decay, gradient_clip, gradient_norm_clip,
//                     weight_clip
//                     frequency {rate_power, rate_from, decay_power, cow_clip, cow_clip_floor,
//                     idle_decay, group_lasso}
//   format            weights "fp32" | "bf16" | "fp16" | "int8", state "fp32" | "bf16"
//   tail              below, rowwise_state, and the fields of a format
//   eviction          idle_steps, min_score, half_life, min_norm, sweep_steps, budget_bytes,
//                     budget_policy "refuse" | "evict_lowest"
//   dense optimizer   rule "sgd" | "adagrad" | "adam"; weight_decay, gradient_clip
//   initializer       kind "constant" {value} | "uniform" {low, high} | "normal" {mean, stddev} |
//                     "truncated_normal" {mean, stddev}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/nn/dense_optimizer.h"
#include "longtail/eviction_spec.h"
#include "longtail/initializer_spec.h"
#include "longtail/optimizer_spec.h"
#include "longtail/row_format.h"

namespace longtail::examples {

/// Errors: InvalidArgument, beginning with `place` and naming key, value and what was wanted.
absl::StatusOr<OptimizerSpec> ParseSparseOptimizer(const nlohmann::json& object,
                                                   const std::string& place);
absl::StatusOr<DenseOptimizerSpec> ParseDenseOptimizer(const nlohmann::json& object,
                                                       const std::string& place);
absl::StatusOr<InitializerSpec> ParseInitializer(const nlohmann::json& object,
                                                 const std::string& place);
absl::StatusOr<RowFormat> ParseRowFormat(const nlohmann::json& object, const std::string& place);
absl::StatusOr<TailSpec> ParseTail(const nlohmann::json& object, const std::string& place);
absl::StatusOr<EvictionSpec> ParseEviction(const nlohmann::json& object, const std::string& place);

}  // namespace longtail::examples
