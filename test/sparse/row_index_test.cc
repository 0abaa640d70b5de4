#include "sparse/row_index.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "base/hash.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

// An index with the rows it needs.
struct IndexedRows {
  std::uint32_t Find(Key key) const { return index.Find(key, Mix64(key), slabs); }
  std::uint32_t Insert(Key key) {
    const std::uint32_t row = slabs.Take(false);
    SetKey(slabs.Header(row), key);
    index.Insert(row, Mix64(key), slabs);
    return row;
  }
  void Erase(Key key) {
    const std::uint32_t row = Find(key);
    index.Erase(row, Mix64(key));
    slabs.Free(row);
  }

  RowStore slabs{4};
  RowIndex index;
};

// So that a test can choose hashes.
Key KeyOfHash(std::uint64_t hash) {
  return Unmix64(hash);
}

TEST_CASE("an index agrees with a map over random insertions and erasures", "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  CAPTURE(seed);
  Rng rng(seed);
  IndexedRows rows;
  std::map<Key, std::uint32_t> want;
  const std::uint64_t distinct = 10 + rng.Below(8000);
  const std::uint64_t erased_of_ten = 2 + rng.Below(6);
  bool has_grown_slowly = false;

  for (int op = 0; op < 12'000; ++op) {
    const Key key = test::Keys(rng, 1, distinct).front();
    const auto found = want.find(key);
    REQUIRE(rows.Find(key) == (found == want.end() ? RowIndex::kNone : found->second));
    if (found == want.end()) {
      want[key] = rows.Insert(key);
    } else if (rng.Below(10) < erased_of_ten) {
      rows.Erase(key);
      want.erase(found);
    }
    has_grown_slowly |= rows.index.is_growing();
    if (rows.index.is_growing() || op % 500 == 0) {  // Every row, at each stage of a growth.
      for (const auto& [some, row] : want) {
        if (rng.Below(40) == 0) REQUIRE(rows.Find(some) == row);
      }
    }
  }

  CHECK(rows.index.size() == want.size());
  for (const auto& [key, row] : want) REQUIRE(rows.Find(key) == row);
  CHECK((distinct < 3000 || has_grown_slowly));
}

// Keys whose hashes name one line: the search must walk over full lines, around the end, across the
// border between the generations of a growing index; and erasures must not cut the walk short.
TEST_CASE("keys that all want one line are found and erased, also while the index grows",
          "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 60));
  CAPTURE(seed);
  Rng rng(seed);
  const std::uint64_t place = std::array{0ULL, 0xFFFFFFFFULL, 0x40000000ULL}.at(seed % 3);
  IndexedRows rows;
  std::vector<Key> crowd;
  const auto add_to_crowd = [&] {
    const std::uint64_t hash = (rng.Next() << 32) | place;
    REQUIRE(Mix64(KeyOfHash(hash)) == hash);
    crowd.push_back(KeyOfHash(hash));
    rows.Insert(crowd.back());
  };
  const auto erase_from_crowd = [&] {
    std::swap(crowd[rng.Below(crowd.size())], crowd.back());
    rows.Erase(crowd.back());
    REQUIRE(rows.Find(crowd.back()) == RowIndex::kNone);
    crowd.pop_back();
  };
  const auto check_crowd = [&] {
    for (const Key key : crowd) REQUIRE(rows.slabs.KeyOf(rows.Find(key)) == key);
  };

  for (int i = 0; i < 100; ++i) add_to_crowd();
  for (int i = 0; i < 1500; ++i) rows.Insert(rng.Next());
  bool was_growing = false;
  for (int op = 0; op < 1200; ++op) {
    rows.Insert(rng.Next());
    if (rng.Below(2) == 0) {
      add_to_crowd();
    } else {
      erase_from_crowd();
    }
    was_growing |= rows.index.is_growing();
    if (rows.index.is_growing() || op % 100 == 0) check_crowd();
  }
  CHECK(was_growing);
  while (!crowd.empty()) {
    if (crowd.size() % 10 == 0) check_crowd();
    erase_from_crowd();
  }
}

TEST_CASE("an index grows by a quarter at nine tenths, one line an insertion", "[sparse][index]") {
  Rng rng(3);
  IndexedRows rows;
  std::uint64_t growths = 0;
  std::uint64_t insertions = 0;
  std::uint64_t lines_before = 0;
  bool was_growing = false;
  CHECK(rows.index.bytes() == 64);

  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t bytes = rows.index.bytes();
    rows.Insert(rng.Next());
    if (rows.index.is_growing() && !was_growing) {
      ++growths;
      lines_before = bytes / 64;
      insertions = 0;
      REQUIRE(rows.index.bytes() == (lines_before + lines_before + lines_before / 4) * 64);
    }
    if (rows.index.is_growing()) ++insertions;
    if (!rows.index.is_growing()) {
      REQUIRE(rows.index.size() * 10 <= rows.index.bytes() / 64 * 15 * 9);
      if (was_growing) REQUIRE(insertions == lines_before - 1);
    }
    was_growing = rows.index.is_growing();
  }
  CHECK(growths >= 15);
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
    const std::uint32_t candidate = rows.index.Candidate(Mix64(key));
    REQUIRE(candidate != RowIndex::kNone);
    REQUIRE(TagOf(Mix64(rows.slabs.KeyOf(candidate))) == TagOf(Mix64(key)));
    exact += rows.slabs.KeyOf(candidate) == key ? 1 : 0;
  }
  CHECK(exact > 2800);
}

// Many hashes near the end of all, where entries find no room before the end of the old lines.
TEST_CASE("what the first line says of a key is true at any moment of a growth",
          "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 30));
  CAPTURE(seed);
  Rng rng(seed);
  IndexedRows rows;
  std::map<Key, std::uint32_t> want;
  std::vector<Key> keys;
  for (int i = 0; i < 4000; ++i) {
    const std::uint64_t place = rng.Below(3) == 0 ? 0xFFFFFFFF - rng.Below(1 << 24) : rng.Next();
    keys.push_back(KeyOfHash(rng.Next() << 32 | (place & 0xFFFFFFFF)));
  }
  int sure = 0;
  int elsewhere = 0;

  for (int op = 0; op < 12'000; ++op) {
    const Key key = keys[rng.Below(keys.size())];
    const auto found = want.find(key);
    std::vector<std::uint32_t> further;
    const std::uint32_t near =
        rows.index.NearCandidate(Mix64(key), [&](std::uint32_t row) { further.push_back(row); });
    if (near == RowIndex::kNone) {
      REQUIRE(found == want.end());
      ++sure;
    } else if (near == RowIndex::kElsewhere) {
      ++elsewhere;
    } else {
      further.push_back(near);
      for (const std::uint32_t row : further) {
        REQUIRE(TagOf(Mix64(rows.slabs.KeyOf(row))) == TagOf(Mix64(key)));
      }
    }
    REQUIRE(rows.Find(key) == (found == want.end() ? RowIndex::kNone : found->second));
    if (found == want.end()) {
      want[key] = rows.Insert(key);
    } else if (rng.Below(4) == 0) {
      rows.Erase(key);
      want.erase(found);
    }
  }
  CHECK(sure > 100);
  CHECK(elsewhere > 100);
}

TEST_CASE("a line keeps fifteen entries of 26 bits and finds them as the slow search does",
          "[sparse][index]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 100));
  CAPTURE(seed);
  Rng rng(seed);
  IndexLine line;
  std::array<std::uint8_t, IndexLine::kSlots> tags{};
  std::array<std::uint32_t, IndexLine::kSlots> rows{};
  int passed = 0;

  for (int op = 0; op < 200; ++op) {
    const auto slot = static_cast<unsigned>(rng.Below(IndexLine::kSlots));
    if (rng.Below(4) == 0) {
      line.Clear(slot);
      tags[slot] = 0;
    } else {
      tags[slot] = static_cast<std::uint8_t>(1 + rng.Below(5));
      rows[slot] = static_cast<std::uint32_t>(rng.Below(Slabs::kRowsMax));
      line.Fill(slot, tags[slot], rows[slot]);
    }
    if (passed < 2 && rng.Below(3) == 0) {
      line.CountPassed();
      ++passed;
    } else if (passed > 0 && rng.Below(2) == 0) {
      line.CountBack();
      --passed;
    }
    for (std::uint8_t tag = 0; tag < 7; ++tag) {
      REQUIRE(line.Match(tag) == MatchBytes(tags.data(), tag));
    }
    for (unsigned i = 0; i < IndexLine::kSlots; ++i) {
      if (tags[i] != 0) REQUIRE(line.Row(i) == rows[i]);
    }
    REQUIRE(line.IsPassed() == (passed > 0));
  }
  for (int i = 0; i < 9; ++i) line.CountPassed();
  for (int i = 0; i < 9; ++i) line.CountBack();
  CHECK(line.IsPassed());  // Three and more are not counted down.
}

}  // namespace
}  // namespace longtail::sparse
