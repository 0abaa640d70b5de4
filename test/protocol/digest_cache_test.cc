#include "protocol/digest_cache.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "base/random.h"

namespace longtail {
namespace {

using Cache = DigestCache<int>;

KeyDigest D(std::uint64_t n) {
  return {.low = n, .high = ~n};
}

// What a list of 16 keys takes.
constexpr std::size_t kListBytes = Cache::kEntryBytes + 16 * sizeof(Key);

TEST_CASE("the entry that was not used for longest goes first", "[protocol][digest_cache]") {
  Cache cache(3 * kListBytes);
  for (int i = 0; i < 3; ++i) cache.Add(D(static_cast<std::uint64_t>(i)), 16, i);
  REQUIRE(cache.Find(D(0)) != nullptr);

  cache.Add(D(3), 16, 3);

  CHECK(cache.Find(D(1)) == nullptr);
  for (const int i : {0, 2, 3}) {
    const int* const value = cache.Find(D(static_cast<std::uint64_t>(i)));
    REQUIRE(value != nullptr);
    CHECK(*value == i);
  }
  CHECK(cache.size() == 3);
}

TEST_CASE("a large list pushes out as many as it needs, one too large none",
          "[protocol][digest_cache]") {
  Cache cache(3 * kListBytes);
  for (std::uint64_t i = 0; i < 3; ++i) cache.Add(D(i), 16, 0);

  cache.Add(D(7), 10'000, 0);
  CHECK(cache.size() == 3);
  cache.Add(D(8), 17, 0);

  CHECK(cache.Find(D(7)) == nullptr);
  CHECK(cache.Find(D(8)) != nullptr);
  CHECK(cache.size() == 2);
}

TEST_CASE("bytes stay within the bound and are those of what is there",
          "[protocol][digest_cache][property]") {
  Rng rng(5);
  Cache cache(50 * kListBytes);
  std::size_t largest = 0;
  for (int i = 0; i < 10'000; ++i) {
    const KeyDigest digest = D(rng.Below(200));
    if (cache.Find(digest) == nullptr) cache.Add(digest, rng.Below(40), i);
    largest = std::max(largest, cache.bytes());
  }
  CHECK(largest <= 50 * kListBytes);
  CHECK(largest > 48 * kListBytes);
  cache.Clear();
  CHECK(cache.bytes() == 0);
  CHECK(cache.size() == 0);
}

}  // namespace
}  // namespace longtail
