#include "examples/common/nn/relu.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace longtail::examples {
namespace {

// Columns whose sums are kept apart until a block of rows is done: shorter chains of rounding,
// and the sums stay in the first-level cache.
constexpr std::size_t kColumnBlock = 128;

template <typename RowFunction>
void SumByColumnBlock(std::size_t rows, std::size_t columns, float* sums, RowFunction&& add_row) {
  std::array<float, kColumnBlock> partial;
  for (std::size_t begin = 0; begin < columns; begin += kColumnBlock) {
    const std::size_t count = std::min(kColumnBlock, columns - begin);
    partial.fill(0);
    for (std::size_t i = 0; i < rows; ++i) add_row(i, begin, count, partial.data());
    for (std::size_t j = 0; j < count; ++j) sums[begin + j] += partial[j];
  }
}

// The gradient where the output is positive, else zero, whatever the gradient. By bits: of a choice
// between two floats g++ makes a branch, and no vectors.
float Masked(float output, float gradient) {
  const auto keep = static_cast<std::uint32_t>(-static_cast<std::int32_t>(output > 0));
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(gradient) & keep);
}

void MaskAndSum(const float* __restrict output, float scale, std::size_t count,
                float* __restrict gradient, float* __restrict sums) {
  for (std::size_t j = 0; j < count; ++j) {
    const float masked = Masked(output[j], gradient[j] * scale);
    gradient[j] = masked;
    sums[j] += masked;
  }
}

void Sum(const float* __restrict values, std::size_t count, float* __restrict sums) {
  for (std::size_t j = 0; j < count; ++j) sums[j] += values[j];
}

}  // namespace

void AddBias(const float* __restrict bias, Matrix y) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    float* __restrict row = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) row[j] += bias[j];
  }
}

void AddBiasRelu(const float* __restrict bias, Matrix y) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    float* __restrict row = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) {
      const float sum = row[j] + bias[j];
      row[j] = sum > 0 ? sum : 0;
    }
  }
}

void Relu(Matrix y) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    float* row = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) row[j] = row[j] > 0 ? row[j] : 0;
  }
}

void ReluBackward(ConstMatrix y, float scale, Matrix dy) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    const float* __restrict output = y.row(i);
    float* __restrict gradient = dy.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) {
      gradient[j] = Masked(output[j], gradient[j] * scale);
    }
  }
}

void ReluBackward(ConstMatrix y, float scale, Matrix dy, float* bias_gradients) {
  SumByColumnBlock(y.rows, y.columns, bias_gradients,
                   [=](std::size_t i, std::size_t begin, std::size_t count, float* partial) {
                     MaskAndSum(y.row(i) + begin, scale, count, dy.row(i) + begin, partial);
                   });
}

void AddColumnSums(ConstMatrix dy, float* sums) {
  SumByColumnBlock(dy.rows, dy.columns, sums,
                   [=](std::size_t i, std::size_t begin, std::size_t count, float* partial) {
                     Sum(dy.row(i) + begin, count, partial);
                   });
}

}  // namespace longtail::examples
