// The emulator as a grid on which a kernel's `Run` launches, and arrays whose end is guarded.
#pragma once

#include "worker/device/emulator.h"
// The kernels.
#include "worker/device/kernel_list.h"
#include "worker/device/kernels/cache_kernel.h"
#include "worker/device/kernels/dot_interaction_kernel.h"
#include "worker/device/kernels/factorization_kernel.h"
#include "worker/device/kernels/for_each_item_kernel.h"
#include "worker/device/kernels/logit_head_kernel.h"
#include "worker/device/kernels/long_segment_sum_kernel.h"

namespace longtail::device {

class EmulatedGrid {
 public:
  /// Any number of blocks must do: with `blocks_max` they take several pieces of work each, as on a
  /// device they do of more than kBlocksMax.
  explicit EmulatedGrid(const simt::Schedule& schedule, unsigned blocks_max = kBlocksMax)
      : schedule_(schedule), blocks_max_(blocks_max) {}

  template <typename... Parameters, typename... Arguments>
  void Launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments... arguments) {
    const std::string error = simt::Launch({.blocks = {.x = std::min(shape.blocks, blocks_max_)},
                                            .threads = {.x = shape.threads},
                                            .shared_bytes = shape.shared_bytes},
                                           schedule_, [=] { kernel(arguments...); });
    if (error_.empty()) error_ = error;
  }

  template <typename Item>
  void ForEach(std::uint32_t count, const Item& item) {
    LaunchForEach(*this, count, item);
  }

  /// What was wrong first; empty if nothing was.
  const std::string& error() const { return error_; }

 private:
  simt::Schedule schedule_;
  unsigned blocks_max_;
  std::string error_;
};

}  // namespace longtail::device
