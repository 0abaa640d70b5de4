// The optimizers as a closed set: one variant, visited once a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "longtail/optimizer_spec.h"
#include "sparse/adagrad.h"
#include "sparse/adam.h"
#include "sparse/frequency.h"
#include "sparse/ftrl.h"
#include "sparse/gradient.h"
#include "sparse/momentum.h"
#include "sparse/row_step.h"
#include "sparse/rowwise_adagrad.h"
#include "sparse/sgd.h"
#include "sparse/shape_gradient.h"

namespace longtail::sparse {

/// Floats of optimizer state of a row of `dim` weights.
std::uint32_t StateSize(const OptimizerSpec& spec, std::uint32_t dim);

/// Floats at the end of a row's state that mean whole numbers and keep their bits in any format.
std::uint32_t ExactStateSize(const OptimizerSpec& spec);

/// Writes the state of a row that starts with these weights.
///
/// Shapes: weights [dim]; state [StateSize(spec, dim)].
void InitState(const OptimizerSpec& spec, std::span<const float> weights, std::span<float> state);

/// The learning rate of a rule; FTRL calls it alpha.
template <typename Rule>
inline auto& RateOf(Rule& rule) {
  return rule.learning_rate;
}
inline float& RateOf(FtrlSpec& rule) {
  return rule.alpha;
}
inline const float& RateOf(const FtrlSpec& rule) {
  return rule.alpha;
}

/// The rule with its learning rate times `scale`.
OptimizerRule WithRateScale(const OptimizerRule& rule, float scale);

/// A rule with its learning rate (FTRL: alpha) times `scale`.
template <typename Rule>
inline Rule ScaledRate(Rule rule, float scale) {
  RateOf(rule) *= scale;
  return rule;
}

/// Moves one row: shapes the gradient, applies `rule`, clips the weights; with the formulas of
/// sparse/frequency.h where the spec has any on. Inline, so that a batch that has visited the
/// variant once pays nothing for it at each row.
///
/// Shapes: row.gradient as it was pushed; scratch [dim].
template <typename Rule>
[[gnu::always_inline]] inline void ApplyShaped(const OptimizerSpec& spec, const Rule& rule,
                                               RowStep row, const RowFrequency& seen,
                                               float* scratch) {
  const FrequencySpec& frequency = spec.frequency;
  if (UsesFrequency(frequency)) [[unlikely]] {
    if (frequency.idle_decay > 0) Scale(row.weights, row.dim, IdleFactor(frequency, seen.idle));
    row.gradient = ShapeGradient(spec, seen, row.gradient, row.weights, scratch, row.dim);
    const Rule by_count = ScaledRate(rule, CountRate(frequency, seen.count));
    ApplyRow(by_count, row);
    if (frequency.group_lasso > 0) {
      const float shrinkage = RateOf(by_count) * frequency.group_lasso;
      Scale(row.weights, row.dim, GroupLassoScale(shrinkage, SumOfSquares(row.weights, row.dim)));
    }
  } else {
    row.gradient = ShapeGradient(spec, seen, row.gradient, row.weights, scratch, row.dim);
    ApplyRow(rule, row);
  }
  ClipWeights(spec, row.weights, row.dim);
}

}  // namespace longtail::sparse
