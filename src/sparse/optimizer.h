// The optimizers as a closed set: one variant, visited once a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "longtail/optimizer_spec.h"
#include "sparse/adagrad.h"
#include "sparse/adam.h"
#include "sparse/ftrl.h"
#include "sparse/gradient.h"
#include "sparse/momentum.h"
#include "sparse/row_step.h"
#include "sparse/rowwise_adagrad.h"
#include "sparse/sgd.h"

namespace longtail::sparse {

/// Floats of optimizer state of a row of `dim` weights.
std::uint32_t StateSize(const OptimizerSpec& spec, std::uint32_t dim);

/// Writes the state of a row that starts with these weights.
///
/// Shapes: weights [dim]; state [StateSize(spec, dim)].
void InitState(const OptimizerSpec& spec, std::span<const float> weights, std::span<float> state);

/// The rule with its learning rate (FTRL: alpha) times `scale`.
OptimizerRule WithRateScale(const OptimizerRule& rule, float scale);

/// Moves one row: shapes the gradient, applies `rule`, clips the weights. Inline, so that a batch
/// that has visited the variant once pays nothing for it at each row.
///
/// Shapes: row.gradient as it was pushed; scratch [dim].
template <typename Rule>
inline void ApplyShaped(const OptimizerSpec& spec, const Rule& rule, RowStep row, float* scratch) {
  row.gradient = ShapeGradient(spec, row.gradient, row.weights, scratch, row.dim);
  ApplyRow(rule, row);
  ClipWeights(spec, row.weights, row.dim);
}

}  // namespace longtail::sparse
