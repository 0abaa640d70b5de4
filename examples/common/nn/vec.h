// Eight or four floats the compiler keeps in one register, for loops it would not block itself.
//
// GCC's and clang's vector extension: no intrinsics, any target. Each lane does the same IEEE
// operation as a float would, so results are those of the plain loop in the same order.
#pragma once

#include <cstddef>
#include <cstring>

namespace longtail::examples {

/// kWidth lanes of a register, read and written at any address. By memcpy, which is one unaligned
/// move: a vector type with less alignment does not keep it through a reference in clang 14.
template <std::size_t kLaneCount>
struct Lanes {
  static constexpr std::size_t kWidth = kLaneCount;
  typedef float Vec __attribute__((vector_size(kLaneCount * sizeof(float))));  // NOLINT

  static Vec Load(const float* data) {
    Vec value;
    std::memcpy(&value, data, sizeof(value));
    return value;
  }
  static void Store(const Vec& value, float* data) { std::memcpy(data, &value, sizeof(value)); }
};

using EightLanes = Lanes<8>;
using FourLanes = Lanes<4>;

}  // namespace longtail::examples
