#include "worker/device/kernels/segment_sum.h"

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

}  // namespace longtail::device
