#include "base/random.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

namespace longtail {
namespace {

TEST_CASE("random bits never change", "[base][random]") {
  CHECK(RandomBits(0, 0, 0) == RandomAt(RandomStream(0, 0), 0));
  CHECK(RandomBits(1, 2, 3) == 0xEB3AA0CE549FEC8CU);
  CHECK(RandomBits(0, 0, 0) == 0x568A9B0B1A2C05ECU);
  CHECK(RandomBits(~std::uint64_t{0}, ~std::uint64_t{0}, 4095) == 0x2ED82D45AF9573FBU);
}

TEST_CASE("seed, key and counter each change the bits", "[base][random]") {
  const std::uint64_t bits = RandomBits(11, 22, 33);

  CHECK(RandomBits(12, 22, 33) != bits);
  CHECK(RandomBits(11, 23, 33) != bits);
  CHECK(RandomBits(11, 22, 34) != bits);
}

TEST_CASE("unit floats are from 0 to below 1 and 24 bits fine", "[base][random]") {
  CHECK(UnitFloat(0) == 0.0F);
  CHECK(UnitFloat(~std::uint64_t{0}) == 1.0F - 0x1.0p-24F);
  CHECK(UnitFloat(std::uint64_t{1} << 40) == 0x1.0p-24F);
}

TEST_CASE("uniform floats have the moments of a uniform distribution", "[base][random]") {
  constexpr int kDraws = 200'000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    // Neighbouring keys and counters, which are what rows draw from.
    const double x = static_cast<double>(UnitFloat(
        RandomBits(3, static_cast<std::uint64_t>(i / 16), static_cast<std::uint64_t>(i % 16))));
    sum += x;
    squares += x * x;
  }
  CHECK(sum / kDraws == Approx(0.5).margin(5 * std::sqrt(1.0 / 12 / kDraws)));
  CHECK(squares / kDraws == Approx(1.0 / 3).margin(5 * std::sqrt(4.0 / 45 / kDraws)));
}

TEST_CASE("Below is within its bound and even", "[base][random]") {
  const std::uint64_t bound = GENERATE(1U, 2U, 3U, 7U, 100U);
  CAPTURE(bound);
  constexpr std::uint64_t kDraws = 20'000;
  Rng rng(bound);
  std::vector<std::uint64_t> seen(bound);

  for (std::uint64_t i = 0; i < kDraws; ++i) ++seen.at(rng.Below(bound));

  const double want = static_cast<double>(kDraws) / static_cast<double>(bound);
  for (const std::uint64_t count : seen) {
    CHECK(static_cast<double>(count) == Approx(want).margin(6 * std::sqrt(want)));
  }
}

TEST_CASE("a large bound is reached and never passed", "[base][random]") {
  constexpr std::uint64_t kBound = (std::uint64_t{1} << 63) + 12345;
  Rng rng(9);
  std::uint64_t highest = 0;

  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = rng.Below(kBound);
    REQUIRE(value < kBound);
    highest = value > highest ? value : highest;
  }
  CHECK(highest > kBound / 100 * 99);
}

TEST_CASE("streams of different seeds differ and of one seed agree", "[base][random]") {
  Rng a(4);
  Rng b(4);
  Rng c(5);
  const std::uint64_t first = a.Next();

  CHECK(first == b.Next());
  CHECK(first != c.Next());
  CHECK(a.Uniform(2, 3) == 2 + b.Uniform());
}

}  // namespace
}  // namespace longtail
