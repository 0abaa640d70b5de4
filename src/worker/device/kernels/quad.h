// Four floats that are read and written by one instruction of 16 bytes.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace longtail::device {

struct alignas(16) Quad {
  float x, y, z, w;
};

LONGTAIL_HOST_DEVICE inline Quad operator+(const Quad& a, const Quad& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
}
LONGTAIL_HOST_DEVICE inline Quad operator-(const Quad& a, const Quad& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z, a.w - b.w};
}
LONGTAIL_HOST_DEVICE inline Quad operator*(const Quad& a, const Quad& b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w};
}
LONGTAIL_HOST_DEVICE inline Quad operator*(float a, const Quad& b) {
  return {a * b.x, a * b.y, a * b.z, a * b.w};
}

/// How many floats one access moves: 4 with Quad, 1 with float. Kernels are templates over both.
template <typename Lane>
inline constexpr std::uint32_t kWidth = sizeof(Lane) / sizeof(float);

template <typename Lane>
LONGTAIL_HOST_DEVICE Lane Zero();
template <>
LONGTAIL_HOST_DEVICE inline float Zero<float>() {
  return 0;
}
template <>
LONGTAIL_HOST_DEVICE inline Quad Zero<Quad>() {
  return {0, 0, 0, 0};
}

/// The lane at a float's address, which must be aligned to it.
template <typename Lane>
LONGTAIL_HOST_DEVICE inline Lane& LaneAt(float* address) {
  return *reinterpret_cast<Lane*>(address);
}
template <typename Lane>
LONGTAIL_HOST_DEVICE inline const Lane& LaneAt(const float* address) {
  return *reinterpret_cast<const Lane*>(address);
}

/// f applied to each float of a lane, with those of others at the same place.
template <typename Function, typename... Floats>
LONGTAIL_HOST_DEVICE inline void ForEachFloat(const Function& f, float& a, Floats&... rest) {
  f(a, rest...);
}
template <typename Function, typename... Quads>
LONGTAIL_HOST_DEVICE inline void ForEachFloat(const Function& f, Quad& a, Quads&... rest) {
  f(a.x, rest.x...);
  f(a.y, rest.y...);
  f(a.z, rest.z...);
  f(a.w, rest.w...);
}

/// Whether a kernel may read and write by 16 bytes from an address on.
inline bool IsQuadAligned(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % sizeof(Quad) == 0;
}

}  // namespace longtail::device
