// Inverted dropout, whose mask is a pure function of (step, layer, example, column): no state, and
// the same on the way back. The step's part lies in the device's memory, so that one call serves
// every step, and may be recorded (device.h).
//
// Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
//         JMLR 15 (2014).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/dropout_mask.h"
#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

/// Sets what is dropped to zero and multiplies the rest by scale.
struct DropoutCall {
  float* y = nullptr;                     ///< [rows, stride], columns of them changed.
  const std::uint64_t* stream = nullptr;  ///< [1] Of seed and step.
  std::uint64_t layer = 0;                ///< Tells the masks of a step's layers apart.
  std::uint64_t first_example = 0;        ///< Row 0 is this example of the global batch.
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::uint32_t stride = 0;
  std::uint32_t drop_below = 0;  ///< rate * 2^32
  float scale = 1;               ///< 1 / (1 - rate)
};

template <typename Lane>
struct DropoutItem {
  DropoutCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.columns / kWidth<Lane>;
    const std::uint32_t row = i / lanes;
    const std::uint32_t column = (i - row * lanes) * kWidth<Lane>;
    Lane& y = LaneAt<Lane>(call.y + std::size_t{row} * call.stride + column);
    const std::uint64_t stream = DropoutKey(*call.stream, call.layer);
    Drop drop{call, DropoutKey(stream, call.first_example + row), column};
    Lane kept = y;
    ForEachFloat(drop, kept);
    y = kept;
  }

 private:
  struct Drop {
    const DropoutCall& call;
    std::uint64_t key;
    mutable std::uint32_t column;

    LONGTAIL_HOST_DEVICE void operator()(float& value) const {
      const bool is_kept = DropoutBits(key, column) >= call.drop_below;
      value = is_kept ? value * call.scale : 0;
      ++column;
    }
  };
};

template <typename Grid>
void Run(const DropoutCall& call, Grid& grid) {
  const std::uint32_t count = call.rows * call.columns;
  if (call.columns % 4 == 0 && call.stride % 4 == 0 && IsQuadAligned(call.y)) {
    grid.ForEach(count / 4, DropoutItem<Quad>{call});
  } else {
    grid.ForEach(count, DropoutItem<float>{call});
  }
}

}  // namespace longtail::device
