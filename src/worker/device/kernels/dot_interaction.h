// DLRM's interaction, the dot product of every pair of an example's vectors, and its gradient.
//
// From v_0 … v_{n-1} of an example: v_0, and behind it v_i . v_j with j < i, row by row of the
// lower triangle: (1,0), (2,0), (2,1), (3,0), … Each product is summed by ascending column, each
// gradient by ascending j, as the trainers' own code does (DotInteraction of examples/common/nn).
//
// Source: Naumov et al., "Deep learning recommendation model for personalization and recommendation
//         systems", 2019, section 2.1.4.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

struct DotInteractionCall {
  const float* v = nullptr;  ///< [examples, v_stride], vectors * dim of them read.
  float* y = nullptr;        ///< [examples, y_stride], dim + vectors (vectors - 1) / 2 written.
  std::uint32_t examples = 0;
  std::uint32_t vectors = 0;
  std::uint32_t dim = 0;
  std::uint32_t v_stride = 0;
  std::uint32_t y_stride = 0;
};

struct DotGradientCall {
  const float* v = nullptr;   ///< As above.
  const float* dy = nullptr;  ///< [examples, y_stride]
  float* dv = nullptr;        ///< [examples, v_stride], overwritten.
  std::uint32_t examples = 0;
  std::uint32_t vectors = 0;
  std::uint32_t dim = 0;
  std::uint32_t v_stride = 0;
  std::uint32_t y_stride = 0;
};

/// Where the product of a pair stands in the triangle. Needs j < i.
LONGTAIL_HOST_DEVICE constexpr std::uint32_t PairPlace(std::uint32_t i, std::uint32_t j) {
  return i * (i - 1) / 2 + j;
}

void Run(const DotInteractionCall& call, Loops& loops);
void Run(const DotGradientCall& call, Loops& loops);

}  // namespace longtail::device
