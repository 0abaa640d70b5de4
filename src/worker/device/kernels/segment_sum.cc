#include "worker/device/kernels/segment_sum.h"

#include <algorithm>

namespace longtail::device {

void Run(const LongSegmentSumCall& call, Loops&) {
  for (std::uint32_t s = 0; s < *call.segment_count; ++s) {
    const std::uint32_t segment = call.segments[s];
    const std::uint32_t begin = call.all.begins[segment];
    const std::uint32_t end = call.all.begins[segment + 1];
    float* const sums = call.all.sums + std::size_t{segment} * call.all.sum_stride;
    for (std::uint32_t column = 0; column < call.all.dim; ++column) {
      float sum = 0;
      for (std::uint32_t part = 0; part < kSegmentParts; ++part) {
        sum += StretchSum<float>(call.all, PartBegin(begin, end, part),
                                 PartBegin(begin, end, part + 1), column);
      }
      sums[column] = sum;
    }
  }
}

// A segment after the other, and within it a gradient after the other: as many columns at a time as
// the processor takes. The sums are those of SegmentSumItem.
void Run(const SegmentSumCall& call, Loops&) {
  const std::uint32_t segments = std::min(call.unique_max, *call.unique_count);
  for (std::uint32_t segment = 0; segment < segments; ++segment) {
    const std::uint32_t begin = call.begins[segment];
    const std::uint32_t end = call.begins[segment + 1];
    if (end - begin > call.long_above) continue;
    float* __restrict const sum = call.sums + std::size_t{segment} * call.sum_stride;
    std::fill_n(sum, call.dim, 0.0F);
    for (std::uint32_t place = begin; place < end; ++place) {
      const std::uint32_t key = call.positions[place];
      const std::uint32_t bag = call.bags_of == nullptr ? key : call.bags_of[key];
      const std::uint32_t example = bag / call.bags.fields;
      const std::uint32_t field = bag - example * call.bags.fields;
      const std::uint32_t keys =
          call.bags.offsets == nullptr ? 1 : call.bags.offsets[bag + 1] - call.bags.offsets[bag];
      const float weight = KeyWeight(call.bags, call.pooling, key, keys);
      const float* __restrict const gradient = call.gradients + std::size_t{example} * call.stride +
                                               std::size_t{field} * call.field_stride;
      for (std::uint32_t d = 0; d < call.dim; ++d) sum[d] += weight * gradient[d];
    }
  }
}

}  // namespace longtail::device
