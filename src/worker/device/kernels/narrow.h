// Floats to 16 bits and back, by the formulas of base/narrow_float.h.
#pragma once

#include <cstdint>

#include "base/host_device.h"
#include "base/narrow_float.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

enum class NarrowFormat : std::uint32_t { kBfloat16, kFloat16 };

/// to[i] = the nearest value that the format has.
struct NarrowCall {
  const float* from = nullptr;  ///< [count]
  std::uint16_t* to = nullptr;  ///< [count]
  std::uint32_t count = 0;
  NarrowFormat format = NarrowFormat::kBfloat16;
};

/// to[i] = the value of bits.
struct WidenCall {
  const std::uint16_t* from = nullptr;  ///< [count]
  float* to = nullptr;                  ///< [count]
  std::uint32_t count = 0;
  NarrowFormat format = NarrowFormat::kBfloat16;
};

/// What stands beside a lane of floats: four numbers of 16 bits beside a Quad.
struct alignas(8) NarrowQuad {
  std::uint16_t x, y, z, w;
};

LONGTAIL_HOST_DEVICE inline std::uint16_t Narrowed(NarrowFormat format, float value) {
  return format == NarrowFormat::kBfloat16 ? NearestBfloat16(value) : NearestFloat16(value);
}
LONGTAIL_HOST_DEVICE inline float Widened(NarrowFormat format, std::uint16_t bits) {
  return format == NarrowFormat::kBfloat16 ? FromBfloat16(bits) : FromAnyFloat16(bits);
}

template <typename Lane>
struct NarrowItem {
  NarrowCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    if constexpr (kWidth<Lane> == 1) {
      call.to[i] = Narrowed(call.format, call.from[i]);
    } else {
      const Quad from = LaneAt<Quad>(call.from + i * 4);
      reinterpret_cast<NarrowQuad*>(call.to)[i] = {
          Narrowed(call.format, from.x), Narrowed(call.format, from.y),
          Narrowed(call.format, from.z), Narrowed(call.format, from.w)};
    }
  }
};

template <typename Lane>
struct WidenItem {
  WidenCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    if constexpr (kWidth<Lane> == 1) {
      call.to[i] = Widened(call.format, call.from[i]);
    } else {
      const NarrowQuad from = reinterpret_cast<const NarrowQuad*>(call.from)[i];
      LaneAt<Quad>(call.to + i * 4) = {Widened(call.format, from.x), Widened(call.format, from.y),
                                       Widened(call.format, from.z), Widened(call.format, from.w)};
    }
  }
};

template <typename Grid>
void Run(const NarrowCall& call, Grid& grid) {
  ForEachLane<NarrowItem>(grid, call, call.count, call.from, call.to);
}
template <typename Grid>
void Run(const WidenCall& call, Grid& grid) {
  ForEachLane<WidenItem>(grid, call, call.count, call.from, call.to);
}

}  // namespace longtail::device
