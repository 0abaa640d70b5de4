// FTRL-Proximal on one row: the formula, written once for CPU and GPU.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/gradient.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// Moves one weight by one gradient.
///
///   sigma  = (sqrt(n + g^2) - sqrt(n)) / alpha
///   z     += g - sigma * weight
///   n     += g^2
///   weight = 0                                                          if |z| <= l1
///   weight = -(z - sign(z) * l1) / ((beta + sqrt(n)) / alpha + l2)      otherwise
///
/// Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
LONGTAIL_HOST_DEVICE inline void FtrlStep(const FtrlSpec& spec, float gradient, float& weight,
                                          float& z, float& n) {
  const float n_after = n + gradient * gradient;
  const float root = std::sqrt(n_after);
  const float sigma = (root - std::sqrt(n)) / spec.alpha;
  z += gradient - sigma * weight;
  n = n_after;
  // ClipTo(z, l1) is z itself up to |z| = l1, so one expression is both cases, without a branch.
  weight = (ClipTo(z, spec.l1) - z) / ((spec.beta + root) / spec.alpha + spec.l2);
}

/// The z that, with n = 0, stands for a given weight:
///
///   z = -weight * (beta / alpha + l2) - sign(weight) * l1
///
/// A first step then leads from the initial weight by -g / ((beta + |g|) / alpha + l2), as long as
/// the weight's sign stays; with z = 0 it would start from 0 and the initializer would be lost.
LONGTAIL_HOST_DEVICE inline float FtrlInitialZ(const FtrlSpec& spec, float weight) {
  const float shrink = weight > 0 ? spec.l1 : (weight < 0 ? -spec.l1 : 0.0F);
  return 0.0F - weight * (spec.beta / spec.alpha + spec.l2) - shrink;
}

/// State: z[dim], n[dim].
constexpr std::size_t StateSize(const FtrlSpec&, std::size_t dim) {
  return 2 * dim;
}

inline void InitState(const FtrlSpec& spec, const float* weights, std::size_t dim, float* state) {
  for (std::size_t i = 0; i < dim; ++i) {
    state[i] = FtrlInitialZ(spec, weights[i]);
    state[dim + i] = 0;
  }
}

/// Moves one row.
inline void ApplyRow(const FtrlSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  float* __restrict z = row.state;
  float* __restrict n = row.state + row.dim;
  for (std::size_t i = 0; i < row.dim; ++i) {
    FtrlStep(spec, gradient[i], weights[i], z[i], n[i]);
  }
}

}  // namespace longtail::sparse
