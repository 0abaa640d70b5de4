// Gradient descent on one row: the formula, written once for CPU and GPU.
#pragma once

#include <cstddef>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// Moves one weight by one gradient.
///
///   weight -= learning_rate * g
///
/// Source: Robbins, Monro, "A Stochastic Approximation Method", Annals of Mathematical Statistics
///         22 (1951).
LONGTAIL_HOST_DEVICE inline void SgdStep(const SgdSpec& spec, float gradient, float& weight) {
  weight -= spec.learning_rate * gradient;
}

/// No state.
constexpr std::size_t StateSize(const SgdSpec&, std::size_t) {
  return 0;
}

inline void InitState(const SgdSpec&, const float*, std::size_t, float*) {}

/// Moves one row.
inline void ApplyRow(const SgdSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  for (std::size_t i = 0; i < row.dim; ++i) SgdStep(spec, gradient[i], weights[i]);
}

}  // namespace longtail::sparse
