// Descent with momentum on one row: the formula, written once for CPU and GPU.
#pragma once

#include <cstddef>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// Moves one weight by one gradient.
///
///   v       = momentum * v + g
///   weight -= learning_rate * v                     (heavy ball)
///   weight -= learning_rate * (g + momentum * v)    (Nesterov)
///
/// Source: Polyak, "Some Methods of Speeding Up the Convergence of Iteration Methods", USSR
///         Computational Mathematics and Mathematical Physics 4 (1964); Sutskever, Martens, Dahl,
///         Hinton, "On the Importance of Initialization and Momentum in Deep Learning", ICML 2013,
///         with the weight at the looked-ahead point, as in Bengio, Boulanger-Lewandowski, Pascanu,
///         "Advances in Optimizing Recurrent Networks", ICASSP 2013.
LONGTAIL_HOST_DEVICE inline void MomentumStep(const MomentumSpec& spec, float gradient,
                                              float& weight, float& velocity) {
  velocity = spec.momentum * velocity + gradient;
  const float ahead = gradient + spec.momentum * velocity;
  weight -= spec.learning_rate * (spec.kind == MomentumKind::kNesterov ? ahead : velocity);
}

/// State: v[dim].
constexpr std::size_t StateSize(const MomentumSpec&, std::size_t dim) {
  return dim;
}

/// A row starts at rest.
inline void InitState(const MomentumSpec&, const float*, std::size_t dim, float* state) {
  for (std::size_t i = 0; i < dim; ++i) state[i] = 0;
}

/// Moves one row.
inline void ApplyRow(const MomentumSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  float* __restrict velocity = row.state;
  for (std::size_t i = 0; i < row.dim; ++i) {
    MomentumStep(spec, gradient[i], weights[i], velocity[i]);
  }
}

}  // namespace longtail::sparse
