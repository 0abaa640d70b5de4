#include "examples/common/nn/batch_norm.h"

#include <algorithm>
#include <cmath>

namespace longtail::examples {

void MixRunningStatistics(std::span<const float> update, float momentum, std::span<float> running) {
  for (std::size_t i = 0; i < running.size(); ++i) {
    running[i] = momentum * running[i] + (1 - momentum) * update[i];
  }
}

BatchNorm::BatchNorm(const std::string& name, std::size_t width, std::size_t row_count_max,
                     ParameterLayout& parameters, ParameterLayout& state)
    : width_(width),
      scale_offset_(
          parameters.Add({.name = name + ".scale", .shape = {width}, .initializer = {.scale = 1}})),
      shift_offset_(parameters.Add({.name = name + ".shift", .shape = {width}, .initializer = {}})),
      mean_offset_(state.Add({.name = name + ".mean", .shape = {width}, .initializer = {}})),
      variance_offset_(
          state.Add({.name = name + ".variance", .shape = {width}, .initializer = {.scale = 1}})),
      normalised_(row_count_max, width),
      inverse_root_(width),
      sums_(2 * width) {}

void BatchNorm::ForwardTraining(const float* parameters, Matrix z, float* update) {
  float* mean = update + mean_offset_;
  float* variance = update + variance_offset_;
  const auto count = static_cast<double>(z.rows);

  std::ranges::fill(sums_, 0);
  double* sums = sums_.data();
  double* squares = sums + width_;
  for (std::size_t i = 0; i < z.rows; ++i) {
    const float* row = z.row(i);
    for (std::size_t j = 0; j < width_; ++j) {
      const auto value = static_cast<double>(row[j]);
      sums[j] += value;
      squares[j] += value * value;
    }
  }
  for (std::size_t j = 0; j < width_; ++j) {
    const double exact_mean = sums[j] / count;
    // In double the difference of the two moments keeps digits enough for floats.
    const double exact_variance = std::max(0.0, squares[j] / count - exact_mean * exact_mean);
    mean[j] = static_cast<float>(exact_mean);
    variance[j] = static_cast<float>(exact_variance);
    inverse_root_[j] =
        static_cast<float>(1 / std::sqrt(exact_variance + static_cast<double>(kEpsilon)));
  }

  const float* scale = parameters + scale_offset_;
  const float* shift = parameters + shift_offset_;
  const float* inverse_root = inverse_root_.data();
  const Matrix normalised = normalised_.view();
  for (std::size_t i = 0; i < z.rows; ++i) {
    float* __restrict row = z.row(i);
    float* __restrict kept = normalised.row(i);
    for (std::size_t j = 0; j < width_; ++j) {
      kept[j] = (row[j] - mean[j]) * inverse_root[j];
      row[j] = kept[j] * scale[j] + shift[j];
    }
  }
}

void BatchNorm::ForwardEvaluation(const float* parameters, const float* state, Matrix z) const {
  const float* scale = parameters + scale_offset_;
  const float* shift = parameters + shift_offset_;
  const float* mean = state + mean_offset_;
  const float* variance = state + variance_offset_;
  for (std::size_t i = 0; i < z.rows; ++i) {
    float* row = z.row(i);
    for (std::size_t j = 0; j < width_; ++j) {
      row[j] = (row[j] - mean[j]) / std::sqrt(variance[j] + kEpsilon) * scale[j] + shift[j];
    }
  }
}

// With y = scale x + shift and x the normalised z of n examples:
//   dz = scale inverse_root (dy - mean(dy) - x mean(dy x)).
void BatchNorm::Backward(const float* parameters, Matrix dz, float* gradients) {
  const float* scale = parameters + scale_offset_;
  const Matrix normalised = normalised_.view();
  std::ranges::fill(sums_, 0);
  double* sums = sums_.data();
  double* products = sums + width_;
  for (std::size_t i = 0; i < dz.rows; ++i) {
    const float* gradient = dz.row(i);
    const float* kept = normalised.row(i);
    for (std::size_t j = 0; j < width_; ++j) {
      const auto value = static_cast<double>(gradient[j]);
      sums[j] += value;
      products[j] += value * static_cast<double>(kept[j]);
    }
  }
  for (std::size_t j = 0; j < width_; ++j) {
    gradients[shift_offset_ + j] += static_cast<float>(sums[j]);
    gradients[scale_offset_ + j] += static_cast<float>(products[j]);
    sums[j] /= static_cast<double>(dz.rows);
    products[j] /= static_cast<double>(dz.rows);
  }
  for (std::size_t i = 0; i < dz.rows; ++i) {
    float* __restrict gradient = dz.row(i);
    const float* __restrict kept = normalised.row(i);
    for (std::size_t j = 0; j < width_; ++j) {
      gradient[j] =
          scale[j] * inverse_root_[j] *
          (gradient[j] - static_cast<float>(sums[j]) - kept[j] * static_cast<float>(products[j]));
    }
  }
}

}  // namespace longtail::examples
