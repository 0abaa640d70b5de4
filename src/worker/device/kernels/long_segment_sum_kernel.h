// Long segments on a grid: a block takes one, its threads are parts x lanes (segment_sum.h).
#pragma once

#include "worker/device/kernels/segment_sum.h"
#include "worker/device/kernels/simt.h"

namespace longtail::device {

inline constexpr unsigned kLongSegmentLanes = 8;  // Lanes of a row taken at a time.
inline constexpr unsigned kLongSegmentThreads = kSegmentParts * kLongSegmentLanes;

template <typename Lane>
__global__ void __launch_bounds__(kLongSegmentThreads) SumLongSegments(LongSegmentSumCall call) {
  LONGTAIL_SHARED(Lane, partial, kLongSegmentThreads);
  const std::uint32_t lanes = call.all.dim / kWidth<Lane>;
  const std::uint32_t lane = threadIdx.x % kLongSegmentLanes;
  const std::uint32_t part = threadIdx.x / kLongSegmentLanes;
  const std::uint32_t count = *call.segment_count;
  for (std::uint32_t s = blockIdx.x; s < count; s += gridDim.x) {
    const std::uint32_t segment = call.segments[s];
    const std::uint32_t begin = call.all.begins[segment];
    const std::uint32_t end = call.all.begins[segment + 1];
    for (std::uint32_t first = 0; first < lanes; first += kLongSegmentLanes) {
      const bool is_lane = first + lane < lanes;
      const std::uint32_t column = (first + lane) * kWidth<Lane>;
      if (is_lane) {
        partial[threadIdx.x] = StretchSum<Lane>(call.all, PartBegin(begin, end, part),
                                                PartBegin(begin, end, part + 1), column);
      }
      __syncthreads();
      if (part == 0 && is_lane) {
        Lane sum = Zero<Lane>();
        for (std::uint32_t p = 0; p < kSegmentParts; ++p) {
          sum = sum + partial[p * kLongSegmentLanes + lane];
        }
        LaneAt<Lane>(call.all.sums + std::size_t{segment} * call.all.sum_stride + column) = sum;
      }
      __syncthreads();  // The next lanes' parts take the place of these.
    }
  }
}

template <typename Grid>
void Run(const LongSegmentSumCall& call, Grid& grid) {
  if (call.segment_max == 0) return;
  const LaunchShape shape{.blocks = BlocksFor(call.segment_max, 1), .threads = kLongSegmentThreads};
  if (SumsByQuads(call.all)) {
    grid.Launch(&SumLongSegments<Quad>, shape, call);
  } else {
    grid.Launch(&SumLongSegments<float>, shape, call);
  }
}

}  // namespace longtail::device
