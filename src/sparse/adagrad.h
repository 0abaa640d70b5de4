// Adagrad on one row: the formula, written once for CPU and GPU.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// Moves one weight by one gradient.
///
///   sum    += g^2
///   weight -= learning_rate * g / (sqrt(sum) + epsilon)
///
/// Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic
///         Optimization", JMLR 12 (2011), the diagonal case, with epsilon outside the root.
LONGTAIL_HOST_DEVICE inline void AdagradStep(const AdagradSpec& spec, float gradient, float& weight,
                                             float& sum) {
  sum += gradient * gradient;
  weight -= spec.learning_rate * gradient / (std::sqrt(sum) + spec.epsilon);
}

/// State: sum[dim].
constexpr std::size_t StateSize(const AdagradSpec&, std::size_t dim) {
  return dim;
}

inline void InitState(const AdagradSpec& spec, const float*, std::size_t dim, float* state) {
  for (std::size_t i = 0; i < dim; ++i) state[i] = spec.initial_accumulator;
}

/// Moves one row.
inline void ApplyRow(const AdagradSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  float* __restrict sums = row.state;
  for (std::size_t i = 0; i < row.dim; ++i) AdagradStep(spec, gradient[i], weights[i], sums[i]);
}

}  // namespace longtail::sparse
