// Floats in fewer bits: what the bits mean, and the nearest value that a format has.
//
// Nothing here is random: a value has one nearest, so the bytes of a message do not depend on who
// made it.
#pragma once

#include <bit>
#include <cstdint>

#include "base/host_device.h"

namespace longtail {

/// The largest finite values.
inline constexpr std::uint16_t kBfloat16Max = 0x7F7F;
inline constexpr std::uint16_t kFloat16Max = 0x7BFF;

/// The bits of an infinity, without its sign; larger ones are no number.
inline constexpr std::uint32_t kFloat32Infinity = 0x7F800000;
inline constexpr std::uint16_t kFloat16Infinity = 0x7C00;

LONGTAIL_HOST_DEVICE inline float FromBfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Of the bits of a finite value.
LONGTAIL_HOST_DEVICE inline float FromFloat16(std::uint16_t bits) {
  const std::uint32_t size = bits & 0x7FFFU;
  const float value = size < 0x400 ? static_cast<float>(size) * 0x1.0p-24F
                                   : std::bit_cast<float>((size << 13) + (112U << 23));
  return (bits & 0x8000) != 0 ? -value : value;
}

/// Of any bits.
LONGTAIL_HOST_DEVICE inline float FromAnyFloat16(std::uint16_t bits) {
  if ((bits & kFloat16Infinity) != kFloat16Infinity) return FromFloat16(bits);
  return std::bit_cast<float>((bits & 0x8000U) << 16 | kFloat32Infinity | (bits & 0x3FFU) << 13);
}

/// The nearest bfloat16, of two the even one. A finite value stays finite; an infinity stays one,
/// and so does what is no number.
LONGTAIL_HOST_DEVICE inline std::uint16_t NearestBfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t size = bits & 0x7FFFFFFF;
  if (size >= kFloat32Infinity) {
    const std::uint32_t quiet = size > kFloat32Infinity ? 0x40 : 0;  // Or it would be an infinity.
    return static_cast<std::uint16_t>(bits >> 16 | quiet);
  }
  const std::uint32_t rounded = (size + 0x7FFF + (size >> 16 & 1)) >> 16;
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000) |
                                    (rounded > kBfloat16Max ? kBfloat16Max : rounded));
}

/// The nearest IEEE 754 binary16, subnormal ones included, of two the even one. What is finite and
/// larger than 65504 becomes 65504; the rest as above.
///
/// Source: the sum that rounds a subnormal value is Giesen's, "float->half variants", 2012.
LONGTAIL_HOST_DEVICE inline std::uint16_t NearestFloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t size = bits & 0x7FFFFFFF;
  const std::uint32_t sign = bits >> 16 & 0x8000;
  if (size >= kFloat32Infinity) {
    return static_cast<std::uint16_t>(sign | kFloat16Infinity |
                                      (size > kFloat32Infinity ? 0x200U : 0U));
  }
  std::uint32_t rounded = 0;
  if (size < 0x38800000) {  // 2^-14: a float near 0.5 has the steps of a subnormal half.
    rounded = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5F) -
              std::bit_cast<std::uint32_t>(0.5F);
  } else {  // 13 bits are dropped, and the exponent's bias falls from 127 to 15.
    rounded = ((size + 0xFFF + (size >> 13 & 1)) >> 13) - (112U << 10);
  }
  return static_cast<std::uint16_t>(sign | (rounded > kFloat16Max ? kFloat16Max : rounded));
}

/// Exponents of a row's scale: beyond them 2^e or 2^-e would not be a normal float.
inline constexpr int kScaleExponentMin = -120;
inline constexpr int kScaleExponentMax = 122;

/// 2^exponent, for exponents of normal floats.
LONGTAIL_HOST_DEVICE inline float PowerOfTwo(int exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

/// The smallest e for which 127 * 2^e is at least `largest`, a finite value >= 0.
///
/// A scale that is a power of two costs up to a bit of precision and gives this in return: weights
/// that were stored are stored again with the same values, whatever e they had.
///
/// Source: the shared scales of "OCP Microscaling Formats (MX) Specification", 1.0, 2023, MXINT8.
LONGTAIL_HOST_DEVICE inline int ScaleExponent(float largest) {
  const auto bits = std::bit_cast<std::uint32_t>(largest);
  constexpr std::uint32_t kMantissaOf127 = 0x7E0000;
  const int power = static_cast<int>(bits >> 23) - 127;  // largest = 1.… * 2^power.
  const int exponent = power - 6 + ((bits & 0x7FFFFF) > kMantissaOf127 ? 1 : 0);
  return exponent < kScaleExponentMin ? kScaleExponentMin : exponent;
}

}  // namespace longtail
