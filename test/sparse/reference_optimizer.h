// One push to one row, column by column, from the one-element formulas alone.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "sparse/optimizer.h"

namespace longtail::test {

struct ReferenceOptimizer {
  using Row = std::vector<float>;

  // The rule's own part. `values` holds the weights and then the state.
  static void Apply(const SgdSpec& spec, const Row& g, Row& values) {
    for (std::size_t i = 0; i < g.size(); ++i) sparse::SgdStep(spec, g[i], values[i]);
  }
  static void Apply(const MomentumSpec& spec, const Row& g, Row& values) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      sparse::MomentumStep(spec, g[i], values[i], values[g.size() + i]);
    }
  }
  static void Apply(const AdagradSpec& spec, const Row& g, Row& values) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      sparse::AdagradStep(spec, g[i], values[i], values[g.size() + i]);
    }
  }
  static void Apply(const RowwiseAdagradSpec& spec, const Row& g, Row& values) {
    const double mean = sparse::SumOfSquares(g.data(), g.size()) / static_cast<double>(g.size());
    const float rate = sparse::RowwiseAdagradRate(spec, mean, values[g.size()]);
    for (std::size_t i = 0; i < g.size(); ++i) sparse::RowwiseAdagradStep(rate, g[i], values[i]);
  }
  static void Apply(const AdamSpec& spec, const Row& g, Row& values) {
    const std::uint32_t step = std::bit_cast<std::uint32_t>(values.back()) + 1;
    values.back() = std::bit_cast<float>(step);
    const sparse::AdamCorrection correction = sparse::AdamCorrectionAt(spec, step);
    for (std::size_t i = 0; i < g.size(); ++i) {
      sparse::AdamStep(spec, correction, g[i], values[i], values[g.size() + i],
                       values[2 * g.size() + i]);
    }
  }
  static void Apply(const FtrlSpec& spec, const Row& g, Row& values) {
    for (std::size_t i = 0; i < g.size(); ++i) {
      sparse::FtrlStep(spec, g[i], values[i], values[g.size() + i], values[2 * g.size() + i]);
    }
  }

  // All of a push: clips, decay, the rule, the bound of the weights.
  static void Push(const OptimizerSpec& spec, float rate_scale, Row g, Row& values) {
    for (float& x : g) {
      if (spec.gradient_clip > 0) x = std::clamp(x, -spec.gradient_clip, spec.gradient_clip);
    }
    if (spec.gradient_norm_clip > 0) {
      const float scale = sparse::NormScale(spec, sparse::SumOfSquares(g.data(), g.size()));
      for (float& x : g) x *= scale;
    }
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (spec.weight_decay > 0) g[i] += spec.weight_decay * values[i];
    }
    const OptimizerRule rule = sparse::WithRateScale(spec.rule, rate_scale);
    std::visit([&](const auto& formula) { Apply(formula, g, values); }, rule);
    for (std::size_t i = 0; i < g.size(); ++i) {
      if (spec.weight_clip > 0) {
        values[i] = std::clamp(values[i], -spec.weight_clip, spec.weight_clip);
      }
    }
  }
};

}  // namespace longtail::test
