// One spec of each kind, with nothing zero and nothing symmetric.
#pragma once

#include <cstdint>
#include <vector>

#include "longtail/table_spec.h"

namespace longtail::test {

inline std::vector<OptimizerRule> Rules() {
  return {SgdSpec{.learning_rate = 0.3F},
          MomentumSpec{.learning_rate = 0.2F, .momentum = 0.8F},
          MomentumSpec{.learning_rate = 0.2F, .momentum = 0.8F, .kind = MomentumKind::kNesterov},
          AdagradSpec{.learning_rate = 0.1F, .initial_accumulator = 0.2F, .epsilon = 0.03F},
          RowwiseAdagradSpec{.learning_rate = 0.15F, .initial_accumulator = 0.4F, .epsilon = 0.05F},
          AdamSpec{.learning_rate = 0.05F, .beta1 = 0.8F, .beta2 = 0.95F, .epsilon = 0.02F},
          FtrlSpec{.alpha = 0.4F, .beta = 0.6F, .l1 = 0.3F, .l2 = 0.7F}};
}

inline std::vector<InitializerSpec> Initializers() {
  return {ConstantSpec{.value = 0.125F}, UniformSpec{.low = -0.5F, .high = 0.7F},
          NormalSpec{.mean = 0.1F, .stddev = 0.6F},
          TruncatedNormalSpec{.mean = -0.2F, .stddev = 0.4F}};
}

inline TableSpec SpecOf(const OptimizerRule& rule, const InitializerSpec& initializer,
                        std::uint32_t dim) {
  return {.name = "user_id",
          .dim = dim,
          .optimizer = {.rule = rule,
                        .weight_decay = 0.01F,
                        .gradient_clip = 0.9F,
                        .gradient_norm_clip = 2.5F,
                        .weight_clip = 1.25F},
          .initializer = initializer,
          .seed = 41,
          .linear_columns = dim > 2 ? 1U : 0U};
}

}  // namespace longtail::test
