// Logits on a grid: a warp takes an example, a lane one of its running sums.
#pragma once

#include "worker/device/kernels/logit_head.h"
#include "worker/device/kernels/simt.h"

namespace longtail::device {

inline constexpr unsigned kLogitThreads = 256;
inline constexpr unsigned kLogitWarps = kLogitThreads / kWarpSize;
static_assert(kLogitSums == kWarpSize);

// The sums meet in the order of LogitHead: 8 apart, 16 apart, then 4, 1 and 2. An addition gives
// the same bits whichever of two comes first, so all lanes agree.
template <unsigned kThreads>
__global__ void __launch_bounds__(kThreads) ComputeLogits(LogitHeadCall call) {
  const unsigned lane = threadIdx.x % kWarpSize;
  for (unsigned e = blockIdx.x * kLogitWarps + threadIdx.x / kWarpSize; e < call.examples;
       e += gridDim.x * kLogitWarps) {
    const float* const x = call.x + std::size_t{e} * call.x_stride;
    float sum = LogitSum(call, x, lane);
    sum += __shfl_xor_sync(kAllLanes, sum, 8);
    sum += __shfl_xor_sync(kAllLanes, sum, 16);
    sum += __shfl_xor_sync(kAllLanes, sum, 4);
    sum += __shfl_xor_sync(kAllLanes, sum, 1);
    sum += __shfl_xor_sync(kAllLanes, sum, 2);
    if (lane == 0) call.logits[e] += AddLogitRest(call, x, sum);
  }
}

template <typename Grid>
void Run(const LogitHeadCall& call, Grid& grid) {
  if (call.examples == 0) return;
  const LaunchShape shape{.blocks = BlocksFor(call.examples, kLogitWarps),
                          .threads = kLogitThreads};
  grid.Launch(&ComputeLogits<kLogitThreads>, shape, call);
}

}  // namespace longtail::device
