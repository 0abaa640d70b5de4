// Eight or four floats the compiler keeps in one register, for loops it would not block itself.
//
// GCC's and clang's vector extension: no intrinsics, any target. Each lane does the same IEEE
// operation as a float would, so results are those of the plain loop in the same order.
#pragma once

#include <cstddef>

namespace longtail::examples {

// Structs around the types, because a template argument loses a type's attributes, and with them
// the leave to read from any address. By reference, so that no vector is passed.

struct EightLanes {
  static constexpr std::size_t kWidth = 8;
  typedef float Vec __attribute__((vector_size(32), aligned(4), may_alias));  // NOLINT

  static const Vec& At(const float* data) { return *reinterpret_cast<const Vec*>(data); }
  static Vec& At(float* data) { return *reinterpret_cast<Vec*>(data); }
};

struct FourLanes {
  static constexpr std::size_t kWidth = 4;
  typedef float Vec __attribute__((vector_size(16), aligned(4), may_alias));  // NOLINT

  static const Vec& At(const float* data) { return *reinterpret_cast<const Vec*>(data); }
  static Vec& At(float* data) { return *reinterpret_cast<Vec*>(data); }
};

}  // namespace longtail::examples
