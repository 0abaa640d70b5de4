// What every rule shares: the gradient on its way in and the weights on their way out.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"

namespace longtail::sparse {

/// `value` moved into [-bound, bound].
LONGTAIL_HOST_DEVICE inline float ClipTo(float value, float bound) {
  const float low = value < -bound ? -bound : value;
  return low > bound ? bound : low;
}

/// The sum of squares of a row, in double, in eight interleaved partial sums that are added in a
/// fixed order: the same bits on every machine, and the compiler may use vectors.
LONGTAIL_HOST_DEVICE inline double SumOfSquares(const float* values, std::size_t dim) {
  constexpr std::size_t kLanes = 8;
  double sums[kLanes] = {};
  const std::size_t whole = dim / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(values[i + lane]);
      sums[lane] += value * value;
    }
  }
  for (std::size_t i = whole; i < dim; ++i) {
    const double value = static_cast<double>(values[i]);
    sums[i % kLanes] += value * value;
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Whether no value is an infinity or a NaN. In eight interleaved maxima, as SumOfSquares has its
/// sums: so the compiler uses vectors where dim is a small constant, too.
inline bool AllFinite(const float* values, std::size_t dim) {
  constexpr std::size_t kLanes = 8;
  constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
  constexpr std::uint32_t kInfinity = 0x7F800000;
  std::array<std::uint32_t, kLanes> largest{};
  const std::size_t whole = dim / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(values[i + lane]) & kMagnitude;
      largest[lane] = magnitude > largest[lane] ? magnitude : largest[lane];
    }
  }
  for (std::size_t i = whole; i < dim; ++i) {
    const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(values[i]) & kMagnitude;
    largest[0] = magnitude > largest[0] ? magnitude : largest[0];
  }
  std::uint32_t worst = 0;
  for (const std::uint32_t lane : largest) worst = lane > worst ? lane : worst;
  return worst < kInfinity;
}

/// What a row's gradient is multiplied by after the clip by value: 1, or less if it is longer than
/// gradient_norm_clip.
///
/// Source: Pascanu, Mikolov, Bengio, "On the Difficulty of Training Recurrent Neural Networks",
///         ICML 2013, algorithm 1.
LONGTAIL_HOST_DEVICE inline float NormScale(const OptimizerSpec& spec, double sum_of_squares) {
  const double norm = std::sqrt(sum_of_squares);
  const double bound = static_cast<double>(spec.gradient_norm_clip);
  return norm > bound ? static_cast<float>(bound / norm) : 1.0F;
}

/// Bounds the weights after a rule, if the spec says so.
inline void ClipWeights(const OptimizerSpec& spec, float* weights, std::size_t dim) {
  const float bound = spec.weight_clip;
  if (bound == 0) return;
  for (std::size_t i = 0; i < dim; ++i) weights[i] = ClipTo(weights[i], bound);
}

}  // namespace longtail::sparse
