// Row-wise Adagrad: one accumulator for a whole row.
#pragma once

#include <cmath>
#include <cstddef>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/gradient.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// Adds a row's mean square to its accumulator and returns what its gradient is multiplied by.
///
///   sum  += mean(g^2)
///   rate  = learning_rate / (sqrt(sum) + epsilon)
///
/// Source: Gupta, Singh, Guo, Wang, "Training Recommender Systems at Scale: Communication-Efficient
///         Model and Data Parallelism", KDD 2021, the row-wise Adagrad that DLRM uses (Naumov et
///         al., "Deep Learning Recommendation Model for Personalization and Recommendation
///         Systems", 2019).
LONGTAIL_HOST_DEVICE inline float RowwiseAdagradRate(const RowwiseAdagradSpec& spec,
                                                     double mean_square, float& sum) {
  sum += static_cast<float>(mean_square);
  return spec.learning_rate / (std::sqrt(sum) + spec.epsilon);
}

/// Moves one weight by one gradient: weight -= rate * g.
LONGTAIL_HOST_DEVICE inline void RowwiseAdagradStep(float rate, float gradient, float& weight) {
  weight -= rate * gradient;
}

/// State: sum[1].
constexpr std::size_t StateSize(const RowwiseAdagradSpec&, std::size_t) {
  return 1;
}

inline void InitState(const RowwiseAdagradSpec& spec, const float*, std::size_t, float* state) {
  state[0] = spec.initial_accumulator;
}

/// Moves one row.
inline void ApplyRow(const RowwiseAdagradSpec& spec, const RowStep& row) {
  const float* __restrict gradient = row.gradient;
  float* __restrict weights = row.weights;
  const double mean_square = SumOfSquares(gradient, row.dim) / static_cast<double>(row.dim);
  const float rate = RowwiseAdagradRate(spec, mean_square, row.state[0]);
  for (std::size_t i = 0; i < row.dim; ++i) RowwiseAdagradStep(rate, gradient[i], weights[i]);
}

}  // namespace longtail::sparse
