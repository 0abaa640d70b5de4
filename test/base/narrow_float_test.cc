// Rounding to the nearest value of a format: of all values none is nearer, of two as near the even
// one is taken, and what the format has keeps its bits.
#include "base/narrow_float.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/random.h"

namespace longtail {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

float AnyFinite(Rng& rng) {
  for (;;) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(rng.Next()));
    if (std::isfinite(value)) return value;
  }
}

// Half of the values near a tie: just what is kept, half a step, and a few bits about it.
float NearTie(Rng& rng, unsigned dropped_bits) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(AnyFinite(rng)) >> dropped_bits;
  bits = (bits << 1 | static_cast<std::uint32_t>(rng.Below(2))) << (dropped_bits - 1);
  bits += static_cast<std::uint32_t>(rng.Below(3)) - 1;
  const auto value = std::bit_cast<float>(bits);
  return std::isfinite(value) ? value : 1.0F;
}

// The neighbours of what came out are no nearer.
template <typename Widen>
void CheckNearest(float value, std::uint16_t got, std::uint16_t largest, Widen widen) {
  CAPTURE(value, got);
  const std::uint16_t size = got & 0x7FFF;
  const double error = std::abs(Wide(value) - Wide(widen(got)));
  REQUIRE(std::signbit(value) == ((got & 0x8000) != 0));
  REQUIRE(size <= largest);
  for (const int step : {-1, 1}) {
    const int other = size + step;
    if (other < 0 || other > largest) continue;
    const auto bits = static_cast<std::uint16_t>((got & 0x8000) | other);
    const double other_error = std::abs(Wide(value) - Wide(widen(bits)));
    REQUIRE(error <= other_error);
    const bool is_within = std::abs(value) <= widen(largest);
    if (is_within && error == other_error) REQUIRE(got % 2 == 0);
  }
}

TEST_CASE("what comes out of rounding is nearest", "[base][narrow_float][property]") {
  Rng rng(1);
  for (int i = 0; i < 200'000; ++i) {
    const float any = i % 2 == 0 ? AnyFinite(rng) : NearTie(rng, 16);
    CheckNearest(any, NearestBfloat16(any), kBfloat16Max, FromBfloat16);
    // Fewer of them are beyond what the format has.
    const float small = i % 3 == 0   ? rng.Uniform(-7e4F, 7e4F)
                        : i % 3 == 1 ? rng.Uniform(-1e-4F, 1e-4F)
                                     : NearTie(rng, 13);
    CheckNearest(small, NearestFloat16(small), kFloat16Max, FromFloat16);
  }
}

TEST_CASE("what a format has keeps its bits", "[base][narrow_float]") {
  for (std::uint32_t i = 0; i <= 0xFFFF; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if (std::isfinite(FromBfloat16(bits))) REQUIRE(NearestBfloat16(FromBfloat16(bits)) == bits);
    if (std::isfinite(FromAnyFloat16(bits))) {
      REQUIRE(FromAnyFloat16(bits) == FromFloat16(bits));
      REQUIRE(NearestFloat16(FromFloat16(bits)) == bits);
    }
  }
}

TEST_CASE("what is finite stays so, and what is not, too", "[base][narrow_float]") {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();

  CHECK(NearestBfloat16(kLargest) == kBfloat16Max);
  CHECK(NearestBfloat16(-kLargest) == (kBfloat16Max | 0x8000));
  CHECK(NearestFloat16(65520) == kFloat16Max);
  CHECK(NearestFloat16(-1e30F) == (kFloat16Max | 0x8000));
  for (const float infinity : {kInfinity, -kInfinity}) {
    CHECK(FromBfloat16(NearestBfloat16(infinity)) == infinity);
    CHECK(FromAnyFloat16(NearestFloat16(infinity)) == infinity);
  }
  // One whose lower bits alone say that it is no number.
  for (const std::uint32_t bits : {0x7F800001U, 0xFFC00000U, 0x7FFFFFFFU}) {
    CHECK(std::isnan(FromBfloat16(NearestBfloat16(std::bit_cast<float>(bits)))));
    CHECK(std::isnan(FromAnyFloat16(NearestFloat16(std::bit_cast<float>(bits)))));
  }
}

TEST_CASE("a scale is the smallest that reaches the largest value", "[base][narrow_float]") {
  Rng rng(2);
  for (int i = 0; i < 10'000; ++i) {
    const float largest = std::abs(AnyFinite(rng));
    const int e = ScaleExponent(largest);
    CAPTURE(largest, e);
    REQUIRE(std::ldexp(127.0, e) >= Wide(largest));
    if (e > kScaleExponentMin) REQUIRE(std::ldexp(127.0, e - 1) < Wide(largest));
    REQUIRE(Wide(PowerOfTwo(e)) == std::ldexp(1.0, e));
  }
  CHECK(ScaleExponent(0) == kScaleExponentMin);
  CHECK(ScaleExponent(127) == 0);
  CHECK(ScaleExponent(std::numeric_limits<float>::max()) == kScaleExponentMax);
}

}  // namespace
}  // namespace longtail
