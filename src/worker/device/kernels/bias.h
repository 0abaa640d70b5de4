// Bias and ReLU in one pass over a matrix, and the gradient of a ReLU.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

enum class Activation : std::uint32_t { kNone, kRelu };

/// y = y + bias, or max(y + bias, 0), row by row.
struct BiasCall {
  float* y = nullptr;           ///< [rows, columns]
  const float* bias = nullptr;  ///< [columns]
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  Activation activation = Activation::kNone;
};

/// dy = y > 0 ? dy * scale : 0, where y is what a ReLU gave. Behind an inverted dropout y is what
/// that left and scale is its own: a dropped unit has y = 0, so one mask serves both.
struct ReluGradientCall {
  const float* y = nullptr;  ///< [count]
  float* dy = nullptr;       ///< [count]
  float scale = 1;
  std::uint32_t count = 0;
};

template <typename Lane>
struct BiasItem {
  BiasCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.columns / kWidth<Lane>;
    Lane& y = LaneAt<Lane>(call.y + i * kWidth<Lane>);
    Lane sum = y + LaneAt<Lane>(call.bias + i % lanes * kWidth<Lane>);
    if (call.activation == Activation::kRelu) ForEachFloat(Relu{}, sum);
    y = sum;
  }

 private:
  struct Relu {
    LONGTAIL_HOST_DEVICE void operator()(float& value) const { value = value > 0 ? value : 0; }
  };
};

template <typename Lane>
struct ReluGradientItem {
  ReluGradientCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    Lane y = LaneAt<Lane>(call.y + i * kWidth<Lane>);
    Lane dy = LaneAt<Lane>(call.dy + i * kWidth<Lane>);
    ForEachFloat(Mask{call.scale}, dy, y);
    LaneAt<Lane>(call.dy + i * kWidth<Lane>) = dy;
  }

 private:
  struct Mask {
    float scale;
    LONGTAIL_HOST_DEVICE void operator()(float& gradient, float output) const {
      gradient = output > 0 ? gradient * scale : 0;
    }
  };
};

template <typename Grid>
void Run(const BiasCall& call, Grid& grid) {
  const std::uint32_t count = call.rows * call.columns;
  if (call.columns % 4 == 0 && IsQuadAligned(call.y) && IsQuadAligned(call.bias)) {
    grid.ForEach(count / 4, BiasItem<Quad>{call});
  } else {
    grid.ForEach(count, BiasItem<float>{call});
  }
}
template <typename Grid>
void Run(const ReluGradientCall& call, Grid& grid) {
  ForEachLane<ReluGradientItem>(grid, call, call.count, call.y, call.dy);
}

}  // namespace longtail::device
