#include "worker/device/kernels/pool.h"

#include <algorithm>

namespace longtail::device {

// A bag after the other, as many columns at a time as the processor takes. The sums are those of
// PoolItem.
void Run(const PoolCall& call, Loops&) {
  const Bags& bags = call.bags;
  const bool places = bags.offsets == nullptr && bags.values == nullptr;
  std::uint32_t bag = 0;
  for (std::uint32_t example = 0; example < bags.examples; ++example) {
    for (std::uint32_t field = 0; field < bags.fields; ++field, ++bag) {
      float* __restrict const pooled =
          call.pooled + std::size_t{example} * call.pooled_stride + std::size_t{field} * call.dim;
      if (places) {
        std::copy_n(call.rows + std::size_t{call.inverse[bag]} * call.row_stride, call.dim, pooled);
        continue;
      }
      const std::uint32_t begin = bags.offsets == nullptr ? bag : bags.offsets[bag];
      const std::uint32_t end = bags.offsets == nullptr ? bag + 1 : bags.offsets[bag + 1];
      std::fill_n(pooled, call.dim, 0.0F);
      for (std::uint32_t key = begin; key < end; ++key) {
        const float weight = KeyWeight(bags, call.pooling, key, end - begin);
        const float* __restrict const row =
            call.rows + std::size_t{call.inverse[key]} * call.row_stride;
        for (std::uint32_t d = 0; d < call.dim; ++d) pooled[d] += weight * row[d];
      }
    }
  }
}

}  // namespace longtail::device
