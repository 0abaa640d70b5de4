// About how often something was added of late.
#include "worker/frequency_sketch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>

#include "base/hash.h"
#include "base/random.h"

namespace longtail {
namespace {

TEST_CASE("a count is none too low, and few are too high", "[worker][frequency_sketch]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 6));
  CAPTURE(seed);
  Rng rng(seed);
  FrequencySketch sketch(4096);
  std::map<std::uint64_t, std::uint32_t> want;
  for (int i = 0; i < 4095; ++i) {  // One more would halve them all.
    const std::uint64_t hash = Mix64(rng.Below(2) == 0 ? rng.Below(20) : rng.Below(1U << 20));
    sketch.Add(hash);
    ++want[hash];
  }
  std::uint64_t too_high = 0;
  for (const auto& [hash, count] : want) {
    CHECK(sketch.Count(hash) >= std::min(count, 255U));
    too_high += sketch.Count(hash) > count ? 1U : 0U;
  }
  CHECK(too_high < want.size() / 4);
}

TEST_CASE("what was frequent long ago is forgotten", "[worker][frequency_sketch]") {
  FrequencySketch sketch(1000);
  for (int i = 0; i < 200; ++i) sketch.Add(Mix64(7));
  CHECK(sketch.Count(Mix64(7)) == 200);

  for (int i = 0; i < 799; ++i) sketch.Add(Mix64(8));
  CHECK(sketch.Count(Mix64(7)) == 200);
  CHECK(sketch.Count(Mix64(8)) == 255);
  sketch.Add(Mix64(8));

  CHECK(sketch.Count(Mix64(7)) == 100);
  CHECK(sketch.Count(Mix64(8)) == 127);
}

}  // namespace
}  // namespace longtail
