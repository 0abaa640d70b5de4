// Records of different sizes in one piece of memory.
#include "worker/record_ring.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/random.h"

namespace longtail {
namespace {

struct Want {
  std::size_t place = 0;
  std::size_t words = 0;
  std::uint64_t fill = 0;
};

TEST_CASE("a ring keeps what was added until it is dropped, oldest first",
          "[worker][record_ring]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 21));
  CAPTURE(seed);
  Rng rng(seed);
  constexpr std::size_t kSize = 97;
  RecordRing ring(kSize);
  std::deque<Want> want;
  std::uint64_t rounds = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::size_t words = 1 + rng.Below(20);
    while (!ring.Fits(words) || (!want.empty() && rng.Below(4) == 0)) {
      REQUIRE(!want.empty());  // An empty ring has room for whatever is not larger.
      const Want oldest = want.front();
      CHECK(ring.oldest() == oldest.place);
      ring.DropOldest(oldest.words);
      want.pop_front();
      // What was dropped may be added again at once: the newest is moved so.
      CHECK(ring.Fits(oldest.words));
    }
    const std::size_t place = ring.Add(words);
    rounds += place == 0 ? 1 : 0;
    std::fill_n(ring.At(place), words, i);
    want.push_back({.place = place, .words = words, .fill = i});

    std::size_t used = 0;
    for (const Want& w : want) {
      used += w.words;
      REQUIRE(w.place + w.words <= kSize);
      REQUIRE(std::all_of(ring.At(w.place), ring.At(w.place) + w.words,
                          [&](std::uint64_t word) { return word == w.fill; }));
    }
    REQUIRE(ring.used() == used);
    REQUIRE(ring.record_count() == want.size());
  }
  CHECK(rounds > 20);
}

TEST_CASE("a record fits up to the last word", "[worker][record_ring]") {
  RecordRing ring(10);
  CHECK(ring.Fits(10));
  CHECK_FALSE(ring.Fits(11));
  CHECK(ring.Add(4) == 0);
  CHECK(ring.Add(5) == 4);
  CHECK(ring.Fits(1));
  CHECK_FALSE(ring.Fits(2));

  ring.DropOldest(4);

  CHECK(ring.Fits(4));
  CHECK_FALSE(ring.Fits(5));
  CHECK(ring.Add(4) == 0);
  CHECK_FALSE(ring.Fits(1));  // The word at the end is lost.
  ring.DropOldest(5);
  CHECK(ring.oldest() == 0);
  CHECK(ring.Fits(6));
  CHECK(ring.Add(6) == 4);
}

}  // namespace
}  // namespace longtail
