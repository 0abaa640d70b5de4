// Batch normalisation over the examples of a micro-batch, with running statistics for evaluation.
//
// Training normalises by the micro-batch's own mean and variance: results depend on its size, the
// more the smaller it is. The running statistics are no parameters: Forward only reports the
// micro-batch's, and the trainer mixes them in, one micro-batch after the other in a fixed order
// (MixRunningStatistics), so that replicas on threads neither race nor depend on timing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "examples/common/nn/matrix.h"
#include "examples/common/nn/parameters.h"

namespace longtail::examples {

/// How much of the old running statistics one micro-batch leaves.
inline constexpr float kRunningStatisticsMomentum = 0.99F;

/// running = momentum * running + (1 - momentum) * update, element by element.
///
/// Shapes: update and running [n], flat buffers of one state layout.
void MixRunningStatistics(std::span<const float> update, float momentum, std::span<float> running);

/// Source: Ioffe, Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2; the running
///         variance is the biased one.
class BatchNorm {
 public:
  /// Declares "<name>.scale" and "<name>.shift" in `parameters`, "<name>.mean" and
  /// "<name>.variance" in `state`.
  BatchNorm(const std::string& name, std::size_t width, std::size_t row_count_max,
            ParameterLayout& parameters, ParameterLayout& state);

  /// Normalises z in place and writes the micro-batch's statistics to `update`.
  ///
  /// Shapes: z [n, width], the whole micro-batch; update [state.size()].
  void ForwardTraining(const float* parameters, Matrix z, float* update);

  /// Normalises z in place by the running statistics. Shapes: state [state.size()].
  void ForwardEvaluation(const float* parameters, const float* state, Matrix z) const;

  /// Turns the gradient of the last ForwardTraining's result into that of its input.
  ///
  /// Shapes: dz [n, width] as in ForwardTraining; gradients [parameters.size()], added to.
  void Backward(const float* parameters, Matrix dz, float* gradients);

 private:
  static constexpr float kEpsilon = 1e-5F;

  std::size_t width_;
  std::size_t scale_offset_;
  std::size_t shift_offset_;
  std::size_t mean_offset_;
  std::size_t variance_offset_;
  MatrixBuffer normalised_;          ///< (z - mean) / sqrt(variance + epsilon), for Backward.
  std::vector<float> inverse_root_;  ///< 1 / sqrt(variance + epsilon).
  std::vector<double> sums_;         ///< [2, width] column sums.
};

}  // namespace longtail::examples
