// Pair sums on a grid: a group of lanes takes an example, each lane a column.
//
// A group is as wide as dim, up to a warp; wider vectors take turns. The columns' terms are added
// in their order: every lane of the group takes each from its owner.
#pragma once

#include "worker/device/kernels/factorization.h"
#include "worker/device/kernels/simt.h"

namespace longtail::device {

inline constexpr unsigned kPairThreads = 256;

template <unsigned kGroup>
__global__ void __launch_bounds__(kPairThreads) SumPairs(PairSumsCall call) {
  constexpr unsigned kGroups = kPairThreads / kGroup;
  const unsigned lane = threadIdx.x % kGroup;
  // Lanes without an example go along, since all of a warp take part in each exchange.
  const unsigned in_warp = threadIdx.x % kWarpSize / kGroup;
  for (unsigned first = blockIdx.x * kGroups + threadIdx.x / kGroup - in_warp;
       first < call.examples; first += gridDim.x * kGroups) {
    const unsigned example = first + in_warp;
    const bool is_example = example < call.examples;
    float value = 0;
    for (unsigned begin = 0; begin < call.dim; begin += kGroup) {
      const unsigned column = begin + lane;
      float term = 0;
      if (is_example && column < call.dim) {
        const ColumnSums of = SumOverFields(call, example, column);
        call.sums[std::size_t{example} * call.dim + column] = of.sum;
        term = of.sum * of.sum - of.squares;
      }
      const unsigned columns = call.dim - begin < kGroup ? call.dim - begin : kGroup;
      for (unsigned d = 0; d < columns; ++d) {
        value += __shfl_sync(kAllLanes, term, static_cast<int>(d), static_cast<int>(kGroup));
      }
    }
    if (is_example && lane == 0) call.logits[example] += 0.5F * value;
  }
}

template <typename Grid>
void Run(const PairSumsCall& call, Grid& grid) {
  if (call.examples == 0) return;
  const auto launch = [&](auto* kernel, unsigned group) {
    const LaunchShape shape{.blocks = BlocksFor(call.examples, kPairThreads / group),
                            .threads = kPairThreads};
    grid.Launch(kernel, shape, call);
  };
  if (call.dim <= 4) return launch(&SumPairs<4>, 4);
  if (call.dim <= 8) return launch(&SumPairs<8>, 8);
  if (call.dim <= 16) return launch(&SumPairs<16>, 16);
  return launch(&SumPairs<32>, 32);
}

}  // namespace longtail::device
