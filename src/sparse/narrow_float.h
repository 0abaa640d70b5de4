// Floats in fewer bits, rounded at random so that their expectation is exact.
//
// A value that the narrow format has keeps its bits whatever the random number is, so what was
// stored once can be stored again without change. What the bits mean is in base/narrow_float.h.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"
#include "base/narrow_float.h"

namespace longtail::sparse {

/// x rounded down or up to a whole number, up as often as its fraction says, by a random number of
/// 32 equally likely bits. Needs |x| < 2^24.
LONGTAIL_HOST_DEVICE inline std::int32_t RoundAtRandom(float x, std::uint32_t random) {
  const float below = std::floor(x);
  // The fraction in units of 2^-24. No branch: it would go wrong every other time.
  const auto fraction = static_cast<std::int32_t>(std::ceil((x - below) * 0x1.0p24F));
  const auto drawn = static_cast<std::int32_t>(random >> 8);
  return static_cast<std::int32_t>(below) - ((drawn - fraction) >> 31);
}

/// The bfloat16 of a finite value: the upper half of its bits after a random number was added to
/// them. What would round to an infinity stays finite.
///
/// Source: Gupta, Agrawal, Gopalakrishnan, Narayanan, "Deep Learning with Limited Numerical
///         Precision", ICML 2015, section 3.
LONGTAIL_HOST_DEVICE inline std::uint16_t ToBfloat16(float value, std::uint32_t random) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto rounded = static_cast<std::uint16_t>((bits + (random >> 16)) >> 16);
  const auto down = static_cast<std::uint16_t>(bits >> 16);
  return (rounded & 0x7FFF) > kBfloat16Max ? down : rounded;
}

/// The IEEE 754 binary16 of a finite value, subnormal ones included. What is larger than 65504
/// becomes 65504.
LONGTAIL_HOST_DEVICE inline std::uint16_t ToFloat16(float value, std::uint32_t random) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const float size = std::bit_cast<float>(bits & 0x7FFFFFFF);
  std::uint32_t rounded = 0;
  if (size < 0x1.0p-14F) {
    rounded = static_cast<std::uint32_t>(RoundAtRandom(size * 0x1.0p24F, random));
  } else if (size >= 65504.0F) {
    rounded = kFloat16Max;
  } else {
    // 13 bits are dropped, and the exponent's bias falls from 127 to 15.
    const std::uint32_t size_bits = bits & 0x7FFFFFFF;
    rounded = ((size_bits + (random >> 19)) >> 13) - (112U << 10);
  }
  return static_cast<std::uint16_t>(sign | rounded);
}

}  // namespace longtail::sparse
