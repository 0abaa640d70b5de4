// The last product of a model, to one logit an example, and its gradients.
//
// The dot product is taken in 32 running sums that are added in a fixed order, as the trainers' own
// code does (LogitHead of examples/common/nn): element i goes to sum i mod 32 as long as there are
// 32 more, then to sum i mod 8, and what is left over is added at the end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

inline constexpr std::uint32_t kLogitSums = 32;
inline constexpr std::uint32_t kLogitLanes = 8;

/// logits[e] += x[e] . weights.
struct LogitHeadCall {
  const float* x = nullptr;        ///< [examples, x_stride], inputs of them read.
  const float* weights = nullptr;  ///< [inputs]
  float* logits = nullptr;         ///< [examples]
  std::uint32_t examples = 0;
  std::uint32_t inputs = 0;
  std::uint32_t x_stride = 0;
};

/// The running sum `place` of one example.
LONGTAIL_HOST_DEVICE inline float LogitSum(const LogitHeadCall& call, const float* x,
                                           std::uint32_t place) {
  float sum = 0;
  std::uint32_t i = 0;
  for (; i + kLogitSums <= call.inputs; i += kLogitSums) {
    sum += x[i + place] * call.weights[i + place];
  }
  for (; place < kLogitLanes && i + kLogitLanes <= call.inputs; i += kLogitLanes) {
    sum += x[i + place] * call.weights[i + place];
  }
  return sum;
}

/// What is left over behind the sums, added to what they gave.
LONGTAIL_HOST_DEVICE inline float AddLogitRest(const LogitHeadCall& call, const float* x,
                                               float sum) {
  for (std::uint32_t i = call.inputs / kLogitLanes * kLogitLanes; i < call.inputs; ++i) {
    sum += x[i] * call.weights[i];
  }
  return sum;
}

/// dx[e, j] = logit_gradients[e] * weights[j].
struct LogitInputGradientsCall {
  const float* weights = nullptr;          ///< [inputs]
  const float* logit_gradients = nullptr;  ///< [examples]
  float* dx = nullptr;                     ///< [examples, dx_stride], inputs of them written.
  std::uint32_t examples = 0;
  std::uint32_t inputs = 0;
  std::uint32_t dx_stride = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t example = i / inputs;
    const std::uint32_t column = i - example * inputs;
    dx[std::size_t{example} * dx_stride + column] = logit_gradients[example] * weights[column];
  }
};

/// parts[p, j] = the sum of logit_gradients[e] * x[e, j] over the examples of part p, four at a
/// time; AddPartsCall adds the parts. One part gives the bits of the trainers' own code.
struct LogitWeightPartsCall {
  const float* x = nullptr;                ///< [examples, x_stride]
  const float* logit_gradients = nullptr;  ///< [examples]
  float* parts = nullptr;                  ///< [PartCount, inputs]
  std::uint32_t examples = 0;
  std::uint32_t inputs = 0;
  std::uint32_t x_stride = 0;
  std::uint32_t part_rows = 512;  ///< A multiple of four.

  LONGTAIL_HOST_DEVICE std::uint32_t PartCount() const { return (examples - 1) / part_rows + 1; }

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t item) const {
    const std::uint32_t part = item / inputs;
    const std::uint32_t column = item - part * inputs;
    const std::uint32_t begin = part * part_rows;
    const std::uint32_t rest = examples - begin;
    const std::uint32_t end = begin + (rest < part_rows ? rest : part_rows);
    float sum = 0;
    std::uint32_t e = begin;
    for (; e + 4 <= end; e += 4) {
      sum += (Product(e, column) + Product(e + 1, column)) +
             (Product(e + 2, column) + Product(e + 3, column));
    }
    for (; e < end; ++e) sum += Product(e, column);
    parts[std::size_t{part} * inputs + column] = sum;
  }

 private:
  LONGTAIL_HOST_DEVICE float Product(std::uint32_t example, std::uint32_t column) const {
    return x[std::size_t{example} * x_stride + column] * logit_gradients[example];
  }
};

void Run(const LogitHeadCall& call, Loops& loops);

template <typename Grid>
void Run(const LogitInputGradientsCall& call, Grid& grid) {
  grid.ForEach(call.examples * call.inputs, call);
}
template <typename Grid>
void Run(const LogitWeightPartsCall& call, Grid& grid) {
  if (call.examples > 0) grid.ForEach(call.PartCount() * call.inputs, call);
}

}  // namespace longtail::device
