#include "sparse/hot_key_sketch.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "base/random.h"

namespace longtail::sparse {
namespace {

TEST_CASE("few keys are counted exactly, in order", "[sparse][hot_key_sketch]") {
  HotKeySketch sketch;
  CHECK(sketch.Sorted().empty());

  sketch.Add(5, 2);
  sketch.Add(~Key{0}, 7);
  sketch.Add(3, 1);
  sketch.Add(9, 0);  // It did not come.
  sketch.Add(5, 3);
  sketch.Add(0, 5);

  CHECK(sketch.Sorted() ==
        std::vector<HotKeyCount>{{~Key{0}, 7, 0}, {0, 5, 0}, {5, 5, 0}, {3, 1, 0}});
}

TEST_CASE(
    "a count is never too low, an error says how much it is too high, and no frequent key is "
    "missing",
    "[sparse][hot_key_sketch]") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U, 4U, 5U);
  CAPTURE(seed);
  Rng rng(seed);
  HotKeySketch sketch;
  std::map<Key, std::uint64_t> want;
  std::uint64_t all = 0;
  for (int i = 0; i < 50'000; ++i) {
    // A hyperbola: key k about in proportion to 1 / k^2, over a tail without end.
    const float uniform = rng.Uniform();
    const auto key = static_cast<Key>(1 / (uniform + 1e-6F));
    const std::uint64_t times = 1 + rng.Below(3);
    sketch.Add(key, times);
    want[key] += times;
    all += times;
  }

  const std::vector<HotKeyCount> hot = sketch.Sorted();

  REQUIRE(hot.size() == kHotKeysMax);
  std::uint64_t sum = 0;
  for (const HotKeyCount& key : hot) {
    CHECK(key.count >= want[key.key]);
    CHECK(key.count - key.error <= want[key.key]);
    CHECK(key.error <= all / kHotKeysMax);
    sum += key.count;
  }
  CHECK(sum == all);  // Counters are handed on, never dropped.
  for (const auto& [key, times] : want) {
    if (times <= all / kHotKeysMax) continue;
    CHECK(std::ranges::count(hot, key, &HotKeyCount::key) == 1);
  }
}

}  // namespace
}  // namespace longtail::sparse
