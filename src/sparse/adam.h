// Adam on one row, lazy: the formula, written once for CPU and GPU.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// base^exponent by repeated squaring, in double; the same bits everywhere, which pow is not.
LONGTAIL_HOST_DEVICE inline double IntegerPower(double base, std::uint32_t exponent) {
  double power = 1;
  for (double square = base; exponent != 0; exponent >>= 1) {
    if ((exponent & 1U) != 0) power *= square;
    square *= square;
  }
  return power;
}

/// The bias corrections of a row's t-th step, ready to be multiplied.
struct AdamCorrection {
  float rate;          ///< learning_rate / (1 - beta1^t)
  float second_scale;  ///< 1 / (1 - beta2^t)
};

/// Needs step >= 1.
LONGTAIL_HOST_DEVICE inline AdamCorrection AdamCorrectionAt(const AdamSpec& spec,
                                                            std::uint32_t step) {
  const double first = 1 - IntegerPower(static_cast<double>(spec.beta1), step);
  const double second = 1 - IntegerPower(static_cast<double>(spec.beta2), step);
  return {.rate = static_cast<float>(static_cast<double>(spec.learning_rate) / first),
          .second_scale = static_cast<float>(1 / second)};
}

/// Moves one weight by one gradient in the row's t-th step.
///
///   m       = beta1 * m + (1 - beta1) * g
///   v       = beta2 * v + (1 - beta2) * g^2
///   weight -= learning_rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// t counts the steps of this row and not those of the training: between two pushes of a row its
/// moments stay as they are.
///
/// Source: Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
LONGTAIL_HOST_DEVICE inline void AdamStep(const AdamSpec& spec, const AdamCorrection& correction,
                                          float gradient, float& weight, float& first,
                                          float& second) {
  first = spec.beta1 * first + (1 - spec.beta1) * gradient;
  second = spec.beta2 * second + (1 - spec.beta2) * (gradient * gradient);
  weight -= correction.rate * first / (std::sqrt(second * correction.second_scale) + spec.epsilon);
}

/// The row's step number after one more step; it stays at 2^32 - 1, where the corrections are 1.
/// Kept in a float slot of the state as the bits of a uint32.
LONGTAIL_HOST_DEVICE inline std::uint32_t AdamNextStep(std::uint32_t step) {
  return step == 0xFFFFFFFF ? step : step + 1;
}

/// State: m[dim], v[dim], then the row's step number as the bits of a uint32.
constexpr std::size_t StateSize(const AdamSpec&, std::size_t dim) {
  return 2 * dim + 1;
}

inline void InitState(const AdamSpec&, const float*, std::size_t dim, float* state) {
  for (std::size_t i = 0; i < 2 * dim + 1; ++i) state[i] = 0;
}

/// Moves one row.
inline void ApplyRow(const AdamSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  float* __restrict first = row.state;
  float* __restrict second = row.state + row.dim;
  float& slot = row.state[2 * row.dim];
  const std::uint32_t step = AdamNextStep(std::bit_cast<std::uint32_t>(slot));
  slot = std::bit_cast<float>(step);
  const AdamCorrection correction = AdamCorrectionAt(spec, step);
  for (std::size_t i = 0; i < row.dim; ++i) {
    AdamStep(spec, correction, gradient[i], weights[i], first[i], second[i]);
  }
}

}  // namespace longtail::sparse
