#include "worker/device/kernels/dot_interaction.h"

#include <algorithm>
#include <cstddef>

namespace longtail::device {

void Run(const DotInteractionCall& call, Loops&) {
  for (std::uint32_t e = 0; e < call.examples; ++e) {
    const float* v = call.v + std::size_t{e} * call.v_stride;
    float* y = call.y + std::size_t{e} * call.y_stride;
    std::copy_n(v, call.dim, y);
    y += call.dim;
    for (std::uint32_t i = 1; i < call.vectors; ++i) {
      for (std::uint32_t j = 0; j < i; ++j) {
        float sum = 0;
        for (std::uint32_t d = 0; d < call.dim; ++d) {
          sum += v[j * call.dim + d] * v[i * call.dim + d];
        }
        *y++ = sum;
      }
    }
  }
}

void Run(const DotGradientCall& call, Loops&) {
  for (std::uint32_t e = 0; e < call.examples; ++e) {
    const float* v = call.v + std::size_t{e} * call.v_stride;
    const float* dy = call.dy + std::size_t{e} * call.y_stride;
    float* dv = call.dv + std::size_t{e} * call.v_stride;
    std::fill_n(dv, call.vectors * call.dim, 0.0F);
    for (std::uint32_t i = 0; i < call.vectors; ++i) {
      for (std::uint32_t j = 0; j < call.vectors; ++j) {
        if (i == j) continue;
        const float gradient = dy[call.dim + PairPlace(std::max(i, j), std::min(i, j))];
        for (std::uint32_t d = 0; d < call.dim; ++d) {
          dv[i * call.dim + d] += gradient * v[j * call.dim + d];
        }
      }
    }
    for (std::uint32_t d = 0; d < call.dim; ++d) dv[d] += dy[d];
  }
}

}  // namespace longtail::device
