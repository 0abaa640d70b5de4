#include "protocol/key_digest.h"

#include <catch2/catch.hpp>
#include <vector>

namespace longtail {
namespace {

TEST_CASE("a digest is the published function of the keys' bytes", "[protocol][key_digest]") {
  // XXH3-128 of no bytes, from the specification.
  CHECK(DigestOf({}) == KeyDigest{.low = 0x6001C324468D497F, .high = 0x99AA06D3014798D8});
}

TEST_CASE("a digest depends on each key and on their order", "[protocol][key_digest]") {
  std::vector<Key> keys = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const KeyDigest digest = DigestOf(keys);

  CHECK(DigestOf(std::vector<Key>(keys)) == digest);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::vector<Key> other = keys;
    ++other[i];
    CHECK_FALSE(DigestOf(other) == digest);
  }
  std::swap(keys[3], keys[4]);
  CHECK_FALSE(DigestOf(keys) == digest);
}

}  // namespace
}  // namespace longtail
