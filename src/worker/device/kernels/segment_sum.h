// Sums the gradients of equal keys, in the order of their positions: no atomics, the same bits on
// every run and on every device.
//
//   sorted positions   | 2 9 11 | 4 | 0 1 3 5 6 … |     segments by begins[]: one a key
//
// A thread sums a lane of a segment. Where one key of a batch is everywhere, that would be one
// thread for thousands of gradients; so segments of more than long_above are left to
// LongSegmentSum, which cuts each in kSegmentParts equal parts, sums these apart and then adds them
// in order. With long_above at its maximum there is none, and sums are those of the trainers' own
// code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/bag.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

inline constexpr std::uint32_t kSegmentParts = 32;
inline constexpr std::uint32_t kNoLongSegments = 0xFFFFFFFF;

/// bags_of[key] = the bag of each key, for those that have offsets.
struct BagsOfKeysCall {
  Bags bags{};
  std::uint32_t* bags_of = nullptr;  ///< [keys]

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t bag) const {
    for (std::uint32_t key = bags.offsets[bag]; key < bags.offsets[bag + 1]; ++key) {
      bags_of[key] = bag;
    }
  }
};

/// What is summed, and where to.
struct SegmentSumCall {
  const float* gradients = nullptr;  ///< [examples, stride], from field 0 on.
  Bags bags{};
  const std::uint32_t* bags_of = nullptr;       ///< [keys], or null without offsets.
  const std::uint32_t* positions = nullptr;     ///< [keys] sorted by key.
  const std::uint32_t* begins = nullptr;        ///< [unique + 1]
  const std::uint32_t* unique_count = nullptr;  ///< [1]
  float* sums = nullptr;                        ///< [unique, sum_stride], dim of them written.
  std::uint32_t unique_max = 0;
  std::uint32_t stride = 0;
  std::uint32_t field_stride = 0;  ///< Floats from one field's gradient to the next: dim, or 0
                                   ///< where all fields share one (a linear part, of dim 1).
  std::uint32_t sum_stride = 0;
  std::uint32_t dim = 0;
  std::uint32_t long_above = kNoLongSegments;
  Pooling pooling = Pooling::kSum;
};

/// The part of one occurrence.
template <typename Lane>
LONGTAIL_HOST_DEVICE inline Lane OccurrenceGradient(const SegmentSumCall& call, std::uint32_t place,
                                                    std::uint32_t column) {
  const std::uint32_t key = call.positions[place];
  const std::uint32_t bag = call.bags_of == nullptr ? key : call.bags_of[key];
  const std::uint32_t example = bag / call.bags.fields;
  const std::uint32_t field = bag - example * call.bags.fields;
  const Lane gradient =  // A copy: by reference nvcc reads it in halves.
      LaneAt<Lane>(call.gradients + std::size_t{example} * call.stride +
                   std::size_t{field} * call.field_stride + column);
  const std::uint32_t keys =
      call.bags.offsets == nullptr ? 1 : call.bags.offsets[bag + 1] - call.bags.offsets[bag];
  return KeyWeight(call.bags, call.pooling, key, keys) * gradient;
}

/// The sum of sorted places `begin` up to `end`.
template <typename Lane>
LONGTAIL_HOST_DEVICE inline Lane StretchSum(const SegmentSumCall& call, std::uint32_t begin,
                                            std::uint32_t end, std::uint32_t column) {
  Lane sum = Zero<Lane>();
  for (std::uint32_t place = begin; place < end; ++place) {
    sum = sum + OccurrenceGradient<Lane>(call, place, column);
  }
  return sum;
}

template <typename Lane, std::uint32_t kLanes>
struct SegmentSumItem {
  SegmentSumCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = kLanes == 0 ? call.dim / kWidth<Lane> : kLanes;
    const std::uint32_t segment = i / lanes;
    if (segment >= *call.unique_count) return;
    const std::uint32_t column = (i - segment * lanes) * kWidth<Lane>;
    const std::uint32_t begin = call.begins[segment];
    const std::uint32_t end = call.begins[segment + 1];
    if (end - begin > call.long_above) return;
    LaneAt<Lane>(call.sums + std::size_t{segment} * call.sum_stride + column) =
        StretchSum<Lane>(call, begin, end, column);
  }
};

/// flags[s] = whether a segment is long.
struct MarkLongSegmentsCall {
  const std::uint32_t* begins = nullptr;        ///< [unique + 1]
  const std::uint32_t* unique_count = nullptr;  ///< [1]
  std::uint32_t* flags = nullptr;               ///< [unique_max]
  std::uint32_t unique_max = 0;
  std::uint32_t long_above = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t segment) const {
    flags[segment] =
        segment < *unique_count && begins[segment + 1] - begins[segment] > long_above ? 1 : 0;
  }
};

/// The segments that SegmentSum left; a kernel of its own (long_segment_sum_kernel.h).
struct LongSegmentSumCall {
  SegmentSumCall all{};
  const std::uint32_t* segments = nullptr;       ///< [segment_count], those that are long.
  const std::uint32_t* segment_count = nullptr;  ///< [1]
  std::uint32_t segment_max = 0;                 ///< No more than so many can be.
};

/// Where part `part` of a long segment begins.
LONGTAIL_HOST_DEVICE inline std::uint32_t PartBegin(std::uint32_t begin, std::uint32_t end,
                                                    std::uint32_t part) {
  const std::uint32_t whole = (end - begin + kSegmentParts - 1) / kSegmentParts;
  const std::uint32_t from = begin + part * whole;
  return from < end ? from : end;
}

/// Whether a call's rows can be moved by 16 bytes.
inline bool SumsByQuads(const SegmentSumCall& call) {
  return call.dim % 4 == 0 && call.stride % 4 == 0 && call.field_stride % 4 == 0 &&
         call.sum_stride % 4 == 0 && IsQuadAligned(call.gradients) && IsQuadAligned(call.sums);
}

template <typename Grid>
void Run(const BagsOfKeysCall& call, Grid& grid) {
  grid.ForEach(call.bags.examples * call.bags.fields, call);
}
template <typename Grid>
void Run(const SegmentSumCall& call, Grid& grid) {
  const std::uint32_t n = call.unique_max;
  if (!SumsByQuads(call)) return grid.ForEach(n * call.dim, SegmentSumItem<float, 0>{call});
  switch (call.dim) {
    case 4:
      return grid.ForEach(n, SegmentSumItem<Quad, 1>{call});
    case 8:
      return grid.ForEach(n * 2, SegmentSumItem<Quad, 2>{call});
    case 16:
      return grid.ForEach(n * 4, SegmentSumItem<Quad, 4>{call});
    case 32:
      return grid.ForEach(n * 8, SegmentSumItem<Quad, 8>{call});
    case 64:
      return grid.ForEach(n * 16, SegmentSumItem<Quad, 16>{call});
    case 128:
      return grid.ForEach(n * 32, SegmentSumItem<Quad, 32>{call});
    default:
      return grid.ForEach(n * (call.dim / 4), SegmentSumItem<Quad, 0>{call});
  }
}
template <typename Grid>
void Run(const MarkLongSegmentsCall& call, Grid& grid) {
  grid.ForEach(call.unique_max, call);
}
void Run(const SegmentSumCall& call, Loops& loops);
void Run(const LongSegmentSumCall& call, Loops& loops);

}  // namespace longtail::device
