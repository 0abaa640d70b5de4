#include "examples/common/nn/logit_head.h"

#include "examples/common/nn/vec.h"

namespace longtail::examples {
namespace {

// Four running sums of eight lanes: a fixed order of additions that keeps the adders busy.
float DotProduct(const float* a, const float* b, std::size_t size) {
  EightLanes::Vec s0 = {};
  EightLanes::Vec s1 = {};
  EightLanes::Vec s2 = {};
  EightLanes::Vec s3 = {};
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    s0 += EightLanes::Load(a + i) * EightLanes::Load(b + i);
    s1 += EightLanes::Load(a + i + 8) * EightLanes::Load(b + i + 8);
    s2 += EightLanes::Load(a + i + 16) * EightLanes::Load(b + i + 16);
    s3 += EightLanes::Load(a + i + 24) * EightLanes::Load(b + i + 24);
  }
  for (; i + 8 <= size; i += 8) s0 += EightLanes::Load(a + i) * EightLanes::Load(b + i);
  const EightLanes::Vec lanes = (s0 + s1) + (s2 + s3);
  float sum = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
              ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

LogitHead::LogitHead(const std::string& name, std::size_t inputs, Initializer initializer,
                     ParameterLayout& layout)
    : inputs_(inputs),
      offset_(layout.Add({.name = name + ".weight",
                          .shape = {inputs, 1},
                          .initializer = initializer,
                          .decay = Decay::kYes})) {}

void LogitHead::Forward(const float* parameters, ConstMatrix x, float* logits) const {
  for (std::size_t i = 0; i < x.rows; ++i) {
    logits[i] += DotProduct(x.row(i), parameters + offset_, inputs_);
  }
}

void LogitHead::AddWeightGradients(ConstMatrix x, const float* logit_gradients,
                                   float* gradients) const {
  float* __restrict sums = gradients + offset_;
  std::size_t i = 0;
  for (; i + 4 <= x.rows; i += 4) {
    const float* __restrict x0 = x.row(i);
    const float* __restrict x1 = x.row(i + 1);
    const float* __restrict x2 = x.row(i + 2);
    const float* __restrict x3 = x.row(i + 3);
    const float* g = logit_gradients + i;
    for (std::size_t j = 0; j < inputs_; ++j) {
      sums[j] += (x0[j] * g[0] + x1[j] * g[1]) + (x2[j] * g[2] + x3[j] * g[3]);
    }
  }
  for (; i < x.rows; ++i) {
    const float* __restrict row = x.row(i);
    for (std::size_t j = 0; j < inputs_; ++j) sums[j] += row[j] * logit_gradients[i];
  }
}

void LogitHead::InputGradients(const float* parameters, const float* logit_gradients,
                               Matrix dx) const {
  const float* __restrict weights = parameters + offset_;
  for (std::size_t i = 0; i < dx.rows; ++i) {
    float* __restrict row = dx.row(i);
    const float g = logit_gradients[i];
    for (std::size_t j = 0; j < inputs_; ++j) row[j] = g * weights[j];
  }
}

}  // namespace longtail::examples
