#include "base/hash.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstdint>

#include "base/random.h"

namespace longtail {
namespace {

// Mix64 undone: the multipliers' inverses mod 2^64, and the shifts from the other end.
constexpr std::uint64_t Unmix64(std::uint64_t x) {
  x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642B2D24D8EC3U;
  x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96DE1B173F119089U;
  return x ^ (x >> 30) ^ (x >> 60);
}

TEST_CASE("Mix64 is a bijection", "[base][hash]") {
  Rng rng(5);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t x = rng.Next() >> rng.Below(64);
    CHECK(Unmix64(Mix64(x)) == x);
  }
}

TEST_CASE("Mix64 never changes: keys stay in their partitions", "[base][hash]") {
  CHECK(Mix64(0) == 0);
  CHECK(Mix64(1) == 0x5692161D100B05E5U);
  CHECK(Mix64(~std::uint64_t{0}) == 0xB4D055FCF2CBBD7BU);
}

TEST_CASE("each bit of a key flips each bit of its hash half of the time", "[base][hash]") {
  constexpr int kTrials = 4000;
  for (int from = 0; from < 64; from += 7) {
    int flips[64] = {};
    for (int i = 0; i < kTrials; ++i) {
      const std::uint64_t key = static_cast<std::uint64_t>(i) * 977 + 13;  // Dense, like real ids.
      std::uint64_t changed = Mix64(key) ^ Mix64(key ^ (std::uint64_t{1} << from));
      for (; changed != 0; changed &= changed - 1) ++flips[std::countr_zero(changed)];
    }
    for (const int count : flips) {
      CHECK(count > kTrials / 2 - 320);  // Ten standard deviations.
      CHECK(count < kTrials / 2 + 320);
    }
  }
}

}  // namespace
}  // namespace longtail
