// A cross layer of DCN-v2 around its product u = x W + b, and its gradient.
//
// Matrices are whole: one row stands behind the other, so a call is a run of floats.
//
// Source: Wang et al., "DCN V2: improved deep & cross network", WWW 2021, eq. 1.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

/// y = x0 * u + x. y may be x.
struct CrossCall {
  const float* x0 = nullptr;  ///< [count], as all.
  const float* u = nullptr;
  const float* x = nullptr;
  float* y = nullptr;
  std::uint32_t count = 0;
};

/// du = dy * x0; dx0 += dy * u.
struct CrossGradientCall {
  const float* x0 = nullptr;  ///< [count], as all.
  const float* u = nullptr;
  const float* dy = nullptr;
  float* du = nullptr;
  float* dx0 = nullptr;
  std::uint32_t count = 0;
};

/// y += x.
struct AddCall {
  const float* x = nullptr;  ///< [count]
  float* y = nullptr;        ///< [count]
  std::uint32_t count = 0;
};

template <typename Lane>
struct CrossItem {
  CrossCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    LaneAt<Lane>(call.y + at) =
        LaneAt<Lane>(call.x0 + at) * LaneAt<Lane>(call.u + at) + LaneAt<Lane>(call.x + at);
  }
};

template <typename Lane>
struct CrossGradientItem {
  CrossGradientCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t at = i * kWidth<Lane>;
    const Lane dy = LaneAt<Lane>(call.dy + at);
    Lane& dx0 = LaneAt<Lane>(call.dx0 + at);
    LaneAt<Lane>(call.du + at) = dy * LaneAt<Lane>(call.x0 + at);
    dx0 = dx0 + dy * LaneAt<Lane>(call.u + at);
  }
};

template <typename Lane>
struct AddItem {
  AddCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    Lane& y = LaneAt<Lane>(call.y + i * kWidth<Lane>);
    y = y + LaneAt<Lane>(call.x + i * kWidth<Lane>);
  }
};

template <typename Grid>
void Run(const CrossCall& call, Grid& grid) {
  ForEachLane<CrossItem>(grid, call, call.count, call.x0, call.u, call.x, call.y);
}
template <typename Grid>
void Run(const CrossGradientCall& call, Grid& grid) {
  ForEachLane<CrossGradientItem>(grid, call, call.count, call.x0, call.u, call.dy, call.du,
                                 call.dx0);
}
template <typename Grid>
void Run(const AddCall& call, Grid& grid) {
  ForEachLane<AddItem>(grid, call, call.count, call.x, call.y);
}

}  // namespace longtail::device
