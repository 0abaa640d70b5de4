#include "sparse/row_index.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "base/hash.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

// An index with the rows it needs. `hash_mask` cuts hashes down, so that keys collide.
struct IndexedRows {
  explicit IndexedRows(std::uint64_t hash_mask_in = ~std::uint64_t{0}) : hash_mask(hash_mask_in) {}

  std::uint64_t Hash(Key key) const { return Mix64(key) & hash_mask; }
  std::uint32_t Find(Key key) const { return index.Find(key, Hash(key), slabs); }
  std::uint32_t Insert(Key key) {
    const std::uint32_t row = slabs.Take();
    HeaderOf(slabs.Row(row)) = {.key = key, .count = 0, .last_step = 0};
    index.Insert(row, Hash(key), slabs);
    return row;
  }
  void Erase(Key key) {
    const std::uint32_t row = Find(key);
    index.Erase(row, Hash(key));
    slabs.Free(row);
  }

  std::uint64_t hash_mask;
  Slabs slabs{16};
  RowIndex index;
};

TEST_CASE("an index agrees with a map over random insertions and erasures", "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  CAPTURE(seed);
  Rng rng(seed);
  IndexedRows rows;
  std::map<Key, std::uint32_t> want;
  const std::uint64_t distinct = 10 + rng.Below(3000);

  for (int op = 0; op < 5000; ++op) {
    const Key key = test::Keys(rng, 1, distinct).front();
    const auto found = want.find(key);
    REQUIRE(rows.Find(key) == (found == want.end() ? RowIndex::kNone : found->second));
    if (found == want.end()) {
      want[key] = rows.Insert(key);
    } else if (rng.Below(2) == 0) {
      rows.Erase(key);
      want.erase(found);
    }
  }

  CHECK(rows.index.size() == want.size());
  for (const auto& [key, row] : want) REQUIRE(rows.Find(key) == row);
}

// All rows in one bucket of 16: the search must walk over full buckets and around the end, and
// erasures must not cut the walk short. The last bucket's number is the hash's low bits.
TEST_CASE("keys that all want one bucket are found, and erased in any order", "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 50));
  CAPTURE(seed);
  Rng rng(seed);
  IndexedRows rows;
  std::vector<Key> others;
  while (rows.index.bytes() < 16 * 64) {
    others.push_back(rng.Next());
    rows.Insert(others.back());
  }
  std::vector<Key> crowd;
  while (crowd.size() < 40) {
    const Key key = rng.Next();
    if ((Mix64(key) & 15) == 15) crowd.push_back(key);
  }
  const std::uint64_t bytes = rows.index.bytes();

  for (const Key key : crowd) rows.Insert(key);
  REQUIRE(rows.index.bytes() == bytes);
  while (!crowd.empty()) {
    for (const Key key : crowd) REQUIRE(rows.slabs.KeyOf(rows.Find(key)) == key);
    std::swap(crowd[rng.Below(crowd.size())], crowd.back());
    rows.Erase(crowd.back());
    REQUIRE(rows.Find(crowd.back()) == RowIndex::kNone);
    crowd.pop_back();
  }
  for (const Key key : others) {  // A search in the bucket walks no further than before the crowd.
    const std::uint32_t candidate = rows.index.Candidate(Mix64(key) | 15);
    if (candidate == RowIndex::kNone) continue;
    CHECK((Mix64(rows.slabs.KeyOf(candidate)) & 15) == 15);
  }
}

TEST_CASE("hashes that are equal in all bits but keys that differ are told apart",
          "[sparse][index]") {
  IndexedRows rows(/*hash_mask_in=*/0);
  constexpr Key kKeys = 9;  // Fewer than make the index double, which hashes for itself.

  for (Key key = 0; key < kKeys; ++key) rows.Insert(key * 1000);

  for (Key key = 0; key < kKeys; ++key) CHECK(rows.Find(key * 1000) == key);
  CHECK(rows.Find(1) == RowIndex::kNone);
}

TEST_CASE("an index is at most four fifths full and doubles", "[sparse][index]") {
  Rng rng(3);
  IndexedRows rows;
  std::uint64_t bytes = rows.index.bytes();
  CHECK(bytes == 64);

  for (int i = 0; i < 20'000; ++i) {
    rows.Insert(rng.Next());
    const std::uint64_t slots = rows.index.bytes() / 64 * 12;
    REQUIRE(rows.index.size() * 5 <= slots * 4);
    REQUIRE((rows.index.bytes() == bytes || rows.index.bytes() == 2 * bytes));
    bytes = rows.index.bytes();
  }
}

TEST_CASE("a candidate is the key's row or another with its tag, and none only if absent",
          "[sparse][index]") {
  Rng rng(8);
  IndexedRows rows;
  std::vector<Key> keys;
  for (int i = 0; i < 3000; ++i) keys.push_back(rng.Next());
  for (const Key key : keys) rows.Insert(key);
  int exact = 0;

  for (const Key key : keys) {
    const std::uint32_t candidate = rows.index.Candidate(rows.Hash(key));
    REQUIRE(candidate != RowIndex::kNone);
    const std::uint64_t got = Mix64(rows.slabs.KeyOf(candidate));
    REQUIRE((got >> 40 & 0xFF) == (Mix64(key) >> 40 & 0xFF));
    exact += rows.slabs.KeyOf(candidate) == key ? 1 : 0;
  }
  CHECK(exact > 2850);
}

}  // namespace
}  // namespace longtail::sparse
