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

  // All of a push: decay of idle weights, clips, decay, the rule, group lasso, the weights' bound.
  template <typename Rule>
  static void PushBy(const OptimizerSpec& spec, const Rule& rule, const sparse::RowFrequency& seen,
                     Row g, Row& values) {
    const FrequencySpec& frequency = spec.frequency;
    const std::size_t dim = g.size();
    const auto scale_weights = [&](float by) {
      for (std::size_t i = 0; i < dim; ++i) values[i] *= by;
    };
    if (frequency.idle_decay > 0) scale_weights(sparse::IdleFactor(frequency, seen.idle));
    for (float& x : g) {
      if (spec.gradient_clip > 0) x = std::clamp(x, -spec.gradient_clip, spec.gradient_clip);
    }
    if (spec.gradient_norm_clip > 0) {
      const float scale = sparse::NormScale(spec, sparse::SumOfSquares(g.data(), dim));
      for (float& x : g) x *= scale;
    }
    if (frequency.cow_clip > 0 || frequency.cow_clip_floor > 0) {
      const float scale = sparse::CowClipScale(frequency, seen.occurrences,
                                               sparse::SumOfSquares(values.data(), dim),
                                               sparse::SumOfSquares(g.data(), dim));
      for (float& x : g) x *= scale;
    }
    const float decay = sparse::CountDecay(spec.weight_decay, frequency, seen.count);
    for (std::size_t i = 0; i < dim; ++i) {
      if (spec.weight_decay > 0) g[i] += decay * values[i];
    }
    const Rule scaled = sparse::ScaledRate(rule, sparse::CountRate(frequency, seen.count));
    Apply(scaled, g, values);
    if (frequency.group_lasso > 0) {
      const float shrinkage = sparse::RateOf(scaled) * frequency.group_lasso;
      scale_weights(sparse::GroupLassoScale(shrinkage, sparse::SumOfSquares(values.data(), dim)));
    }
    for (std::size_t i = 0; i < dim; ++i) {
      if (spec.weight_clip > 0) {
        values[i] = std::clamp(values[i], -spec.weight_clip, spec.weight_clip);
      }
    }
  }

  static void Push(const OptimizerSpec& spec, float rate_scale, Row g, Row& values,
                   const sparse::RowFrequency& seen = {}) {
    const OptimizerRule scaled = sparse::WithRateScale(spec.rule, rate_scale);
    std::visit([&](const auto& rule) { PushBy(spec, rule, seen, g, values); }, scaled);
  }
};

}  // namespace longtail::test
