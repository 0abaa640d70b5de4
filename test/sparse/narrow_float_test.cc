// Rounding at random: what comes out is a neighbour, keeps its bits when it is stored again, and is
// right on average.
#include "sparse/narrow_float.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "base/random.h"
#include "sparse/row_codec.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

RowCodec CodecOf(WeightFormat format, std::size_t dim) {
  return RowCodec({.weights = format, .state = StateFormat::kBfloat16}, dim, dim + 1, 1);
}

std::vector<float> Kept(const RowCodec& codec, const std::vector<float>& values,
                        std::uint64_t stream) {
  std::vector<std::byte> stored(codec.bytes());
  std::vector<float> kept(values.size());
  codec.Encode(values.data(), stream, stored.data());
  codec.Decode(stored.data(), kept.data());
  return kept;
}

// The mean over n roundings of a value at x between neighbours a quantum apart has a standard error
// of at most quantum / 2 / sqrt(n): five of them are allowed.
TEST_CASE("stochastic rounding is right on average in every format", "[sparse][format]") {
  const auto format =
      GENERATE(WeightFormat::kBfloat16, WeightFormat::kFloat16, WeightFormat::kInt8);
  constexpr std::size_t kDim = 24;
  constexpr std::size_t kRounds = 20'000;
  const RowCodec codec = CodecOf(format, kDim);
  Rng rng(3);
  std::vector<float> values = test::Floats(rng, 2 * kDim + 1, -1, 1);
  values[0] = 1e-6F;  // Subnormal in fp16, far below one quantum in int8.
  std::vector<double> sums(2 * kDim);

  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::vector<float> kept = Kept(codec, values, RandomBits(1, 2, round));
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += Wide(kept[i]);
  }

  const double relative = format == WeightFormat::kFloat16 ? 0x1.0p-10 : 0x1.0p-7;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    CAPTURE(i, values[i]);
    const bool is_weight = i < kDim;
    double quantum = is_weight && format == WeightFormat::kInt8
                         ? 0x1.0p-6
                         : std::fabs(Wide(values[i])) * (is_weight ? relative : 0x1.0p-7);
    if (is_weight && format == WeightFormat::kFloat16) quantum = std::max(quantum, 0x1.0p-24);
    const double error = std::fabs(sums[i] / kRounds - Wide(values[i]));
    CHECK(error <= 5 * quantum / 2 / std::sqrt(kRounds));
  }
}

TEST_CASE("what was stored once is stored again without change", "[sparse][format]") {
  const auto format = GENERATE(WeightFormat::kFloat32, WeightFormat::kBfloat16,
                               WeightFormat::kFloat16, WeightFormat::kInt8);
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  Rng rng(seed);
  const std::size_t dim = 1 + rng.Below(130);
  const RowCodec codec = CodecOf(format, dim);
  const float size = std::ldexp(1.0F, static_cast<int>(rng.Below(200)) - 110);
  std::vector<float> values = test::Floats(rng, 2 * dim + 1, -size, size);
  values.back() = std::bit_cast<float>(0x7FC00001U + static_cast<std::uint32_t>(seed));

  const std::vector<float> once = Kept(codec, values, rng.Next());
  const std::vector<float> again = Kept(codec, once, rng.Next());

  CHECK(std::memcmp(once.data(), again.data(), once.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(&once.back(), &values.back(), sizeof(float)) == 0);  // Exact, though a NaN.
}

TEST_CASE("every finite narrow float comes back from its float", "[sparse][format]") {
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto narrow = static_cast<std::uint16_t>(bits);
    for (const std::uint32_t random : {0U, 0x80000000U, 0xFFFFFFFFU}) {
      if ((narrow & 0x7FFF) <= kBfloat16Max) {
        REQUIRE(ToBfloat16(FromBfloat16(narrow), random) == narrow);
      }
      if ((narrow & 0x7FFF) <= kFloat16Max) {
        REQUIRE(ToFloat16(FromFloat16(narrow), random) == narrow);
      }
    }
  }
}

TEST_CASE("no finite value becomes an infinity", "[sparse][format]") {
  constexpr float kMax = std::numeric_limits<float>::max();
  for (const std::uint32_t random : {0U, 0xFFFFFFFFU}) {
    CHECK(std::isfinite(FromBfloat16(ToBfloat16(kMax, random))));
    CHECK(FromFloat16(ToFloat16(kMax, random)) == 65504);
    CHECK(FromFloat16(ToFloat16(-70000, random)) == -65504);
    CHECK(FromFloat16(ToFloat16(65503.99F, random)) <= 65504);
  }
  CHECK(std::ldexp(127.0, ScaleExponent(kMax)) >= Wide(kMax));
}

TEST_CASE("a row's scale is the least power of two that 127 of it cover", "[sparse][format]") {
  Rng rng(5);
  for (int i = 0; i < 2000; ++i) {
    const float largest = std::ldexp(1 + rng.Uniform(), static_cast<int>(rng.Below(240)) - 112);
    const int exponent = ScaleExponent(largest);
    REQUIRE(std::ldexp(127.0, exponent) >= Wide(largest));
    REQUIRE((exponent == kScaleExponentMin || std::ldexp(127.0, exponent - 1) < Wide(largest)));
  }
  CHECK(ScaleExponent(127) == 0);
  CHECK(ScaleExponent(127.00001F) == 1);
  CHECK(ScaleExponent(0) == kScaleExponentMin);
}

}  // namespace
}  // namespace longtail::sparse
