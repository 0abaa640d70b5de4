// Sigmoid and log loss of a batch: each example's loss, and its gradient by the logit.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "base/logistic.h"

namespace longtail::device {

/// gradients[i] = (sigmoid(z) - label) * scale.
struct LogisticLossCall {
  const float* logits = nullptr;  ///< [count]
  const float* labels = nullptr;  ///< [count], in 0..1.
  float* gradients = nullptr;     ///< [count]
  double* losses = nullptr;       ///< [count]
  float scale = 1;
  std::uint32_t count = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const double z = static_cast<double>(logits[i]);
    const double label = static_cast<double>(labels[i]);
    const double small = std::exp(-std::abs(z));
    losses[i] = LogLossOf(z, label, small);
    gradients[i] = static_cast<float>((SigmoidOf(z, small) - label) * static_cast<double>(scale));
  }
};

/// sums[p] = the sum of values of part p, ascending. Whoever wants one number adds the parts.
struct SumPartsCall {
  const double* values = nullptr;  ///< [count]
  double* sums = nullptr;          ///< [(count - 1) / part_size + 1]
  std::uint32_t count = 0;
  std::uint32_t part_size = 256;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t part) const {
    const std::uint32_t begin = part * part_size;
    const std::uint32_t end = count - begin < part_size ? count : begin + part_size;
    double sum = 0;
    for (std::uint32_t i = begin; i < end; ++i) sum += values[i];
    sums[part] = sum;
  }
};

template <typename Grid>
void Run(const LogisticLossCall& call, Grid& grid) {
  grid.ForEach(call.count, call);
}
template <typename Grid>
void Run(const SumPartsCall& call, Grid& grid) {
  if (call.count > 0) grid.ForEach((call.count - 1) / call.part_size + 1, call);
}

}  // namespace longtail::device
