// The kernel of all calls that are one function of an item (loops.h).
#pragma once

#include <cstdint>

#include "worker/device/kernels/simt.h"

namespace longtail::device {

inline constexpr unsigned kItemThreads = 256;

// Neighbouring threads take neighbouring items, so a warp's accesses are whole lines.
template <typename Item>
__global__ void __launch_bounds__(kItemThreads) ForEachItem(std::uint32_t count, Item item) {
  for (std::uint32_t i = blockIdx.x * kItemThreads + threadIdx.x; i < count;
       i += gridDim.x * kItemThreads) {
    item(i);
  }
}

/// ForEach of a grid that can Launch.
template <typename Grid, typename Item>
void LaunchForEach(Grid& grid, std::uint32_t count, const Item& item) {
  if (count == 0) return;
  grid.Launch(&ForEachItem<Item>,
              LaunchShape{.blocks = BlocksFor(count, kItemThreads), .threads = kItemThreads}, count,
              item);
}

}  // namespace longtail::device
