// The second-order term of a factorization machine on one example's field vectors.
//
// The sums over fields are taken in one pass and kept by the caller for the backward pass. kDim is
// the vectors' dimension where it is known at compile time, else 0 and `dim` counts (fixed_dim.h).
#pragma once

#include <cstddef>

namespace longtail::examples {

/// The widest vectors handled.
inline constexpr std::size_t kFmDimMax = 1024;

/// Adds `count` vectors to `sums`, and their squares to `squares`; vector i counts `scales[i]`
/// times, or once if `scales` is null.
///
/// Shapes: vectors [count, dim], contiguous; scales [count]; sums, squares [dim].
template <std::size_t kDim>
inline void FmAccumulate(const float* __restrict vectors, const float* scales, std::size_t count,
                         std::size_t dim, float* __restrict sums, float* __restrict squares) {
  const std::size_t width = kDim == 0 ? dim : kDim;
  for (std::size_t i = 0; i < count; ++i) {
    const float scale = scales == nullptr ? 1 : scales[i];
    for (std::size_t d = 0; d < width; ++d) {
      const float value = scale * vectors[i * width + d];
      sums[d] += value;
      squares[d] += value * value;
    }
  }
}

/// 0.5 * sum over d of (sums[d]^2 - squares[d]): the sum of all pairs' dot products.
///
/// Source: Rendle, "Factorization machines", ICDM 2010, lemma 3.1.
template <std::size_t kDim>
inline float FmValue(const float* sums, const float* squares, std::size_t dim) {
  const std::size_t width = kDim == 0 ? dim : kDim;
  float value = 0;
  for (std::size_t d = 0; d < width; ++d) value += sums[d] * sums[d] - squares[d];
  return 0.5F * value;
}

/// Adds the gradient by each vector, gradient * (sums - vector), to `vector_gradients`.
///
/// Shapes: vectors, vector_gradients [count, dim], contiguous; sums [dim].
template <std::size_t kDim>
inline void FmBackward(const float* __restrict vectors, const float* __restrict sums,
                       float gradient, std::size_t count, std::size_t dim,
                       float* __restrict vector_gradients) {
  const std::size_t width = kDim == 0 ? dim : kDim;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < width; ++d) {
      vector_gradients[i * width + d] += gradient * (sums[d] - vectors[i * width + d]);
    }
  }
}

/// The same where vector i was counted `scales[i]` times.
template <std::size_t kDim>
inline void FmScaledBackward(const float* __restrict vectors, const float* __restrict scales,
                             const float* __restrict sums, float gradient, std::size_t count,
                             std::size_t dim, float* __restrict vector_gradients) {
  const std::size_t width = kDim == 0 ? dim : kDim;
  for (std::size_t i = 0; i < count; ++i) {
    const float scale = scales[i];
    for (std::size_t d = 0; d < width; ++d) {
      vector_gradients[i * width + d] +=
          gradient * scale * (sums[d] - scale * vectors[i * width + d]);
    }
  }
}

}  // namespace longtail::examples
