// The optimizers of dense parameters, one weight at a time: written once for CPU and GPU.
//
// Rows of tables have rules of their own (sparse/); these move the matrices of a model, whose
// constants are those of one step and whose state is one slot or two a weight.
#pragma once

#include <cmath>

#include "base/host_device.h"

namespace longtail::dense {

/// The gradient that a rule sees: cut to +-clip, plus decay * weight. An infinite clip cuts
/// nothing.
LONGTAIL_HOST_DEVICE inline float ShapedGradient(float gradient, float weight, float clip,
                                                 float decay) {
  const float low = gradient < -clip ? -clip : gradient;
  return (clip < low ? clip : low) + decay * weight;
}

/// Moves one weight: weight -= learning_rate * g.
///
/// Source: Robbins, Monro, "A stochastic approximation method", 1951, eq. 6.
LONGTAIL_HOST_DEVICE inline void SgdStep(float learning_rate, float g, float& weight) {
  weight -= learning_rate * g;
}

/// Moves one weight: velocity = momentum * velocity + g; weight -= learning_rate * velocity.
///
/// Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964,
///         eq. 9; the rate outside the velocity, as Sutskever et al., ICML 2013, footnote 1.
LONGTAIL_HOST_DEVICE inline void SgdMomentumStep(float learning_rate, float momentum, float g,
                                                 float& weight, float& velocity) {
  velocity = momentum * velocity + g;
  weight -= learning_rate * velocity;
}

/// Moves one weight: sum += g^2; weight -= learning_rate * g / (sqrt(sum) + epsilon).
///
/// Source: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and
///         stochastic optimization", JMLR 12 (2011), the diagonal case; epsilon outside the root.
LONGTAIL_HOST_DEVICE inline void AdagradStep(float learning_rate, float epsilon, float g,
                                             float& weight, float& sum) {
  sum += g * g;
  weight -= learning_rate * g / (std::sqrt(sum) + epsilon);
}

/// What Adam's formula needs besides a weight; the corrections belong to one step.
struct AdamConstants {
  float rate = 0;             ///< learning_rate / (1 - beta1^t).
  float root_correction = 0;  ///< 1 / sqrt(1 - beta2^t).
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
};

/// Moves one weight:
///
///   m = beta1 m + (1 - beta1) g;   v = beta2 v + (1 - beta2) g^2
///   weight -= learning_rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// Source: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
LONGTAIL_HOST_DEVICE inline void AdamStep(const AdamConstants& c, float g, float& weight, float& m,
                                          float& v) {
  m = c.beta1 * m + (1 - c.beta1) * g;
  v = c.beta2 * v + (1 - c.beta2) * (g * g);
  weight -= c.rate * m / (std::sqrt(v) * c.root_correction + c.epsilon);
}

}  // namespace longtail::dense
