// Kernels that are one function of an item: how a grid runs them, and how the CPU does.
//
// A call of such a kernel is a struct, and `Run(call, grid)` says which items it has. A grid is a
// GPU (cuda/), the emulator of one (test/worker/device), or Loops: all run the same function.
// Kernels whose threads work together are in files named *_kernel.h, and have loops of their own.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/quad.h"

// Before a loop that nvcc would unroll further than its registers allow.
#if defined(__CUDA_ARCH__)
#define LONGTAIL_UNROLL_4 _Pragma("unroll 4")
#else
#define LONGTAIL_UNROLL_4
#endif

namespace longtail::device {

/// The grid of the CPU.
struct Loops {
  /// Calls item(i) for each i < count.
  template <typename Item>
  void ForEach(std::uint32_t count, const Item& item) const {
    for (std::uint32_t i = 0; i < count; ++i) item(i);
  }
};

/// Items from `begin` on.
template <typename Item>
struct ItemsFrom {
  Item item;
  std::uint32_t begin;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const { item(begin + i); }
};

/// Calls ItemOf<Quad> for each four of `count` floats and ItemOf<float> for the rest, or for all if
/// an address is not aligned. An item i of lanes is the i-th lane.
template <template <typename> class ItemOf, typename Call, typename Grid, typename... Addresses>
void ForEachLane(Grid& grid, const Call& call, std::uint32_t count, Addresses... addresses) {
  const bool is_aligned = (IsQuadAligned(addresses) && ...);
  const std::uint32_t quads = is_aligned ? count / 4 : 0;
  if (quads > 0) grid.ForEach(quads, ItemOf<Quad>{call});
  if (quads * 4 < count) {
    grid.ForEach(count - quads * 4, ItemsFrom<ItemOf<float>>{ItemOf<float>{call}, quads * 4});
  }
}

}  // namespace longtail::device
