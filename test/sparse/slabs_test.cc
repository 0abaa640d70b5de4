#include "sparse/slabs.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

TEST_CASE("rows of every size are apart and stay where they are", "[sparse][slabs]") {
  const std::size_t value_bytes = GENERATE(4U, 19U, 36U, 128U, 4096U, 262'160U);
  CAPTURE(value_bytes);
  Slabs slabs(value_bytes);
  const std::uint32_t rows = value_bytes > 100'000 ? 40 : 5000;
  std::set<std::byte*> addresses;
  std::vector<std::byte*> first_seen;

  for (std::uint32_t i = 0; i < rows; ++i) {
    REQUIRE(slabs.Take() == i);
    std::byte* values = slabs.Values(i);
    std::memset(values, static_cast<int>(i % 251), value_bytes);
    std::memset(slabs.Header(i), static_cast<int>(i % 241), kRowHeaderBytes);
    addresses.insert(values);
    first_seen.push_back(values);
  }

  const std::byte* last_end = nullptr;
  for (const std::byte* values : addresses) {
    REQUIRE((last_end == nullptr || values >= last_end));
    last_end = values + value_bytes;
  }
  for (std::uint32_t i = 0; i < rows; ++i) {
    const std::byte* bytes = slabs.Values(i);
    REQUIRE(slabs.Values(i) == first_seen[i]);
    REQUIRE(std::to_integer<std::uint32_t>(bytes[0]) == i % 251);
    REQUIRE(std::to_integer<std::uint32_t>(bytes[value_bytes - 1]) == i % 251);
    REQUIRE(std::to_integer<std::uint32_t>(slabs.Header(i)[0]) == i % 241);
    REQUIRE(std::to_integer<std::uint32_t>(slabs.Header(i)[kRowHeaderBytes - 1]) == i % 241);
  }
  CHECK(slabs.bytes() >= std::uint64_t{rows} * (value_bytes + kRowHeaderBytes));
}

TEST_CASE("freed row numbers are taken again before new ones, the lowest first",
          "[sparse][slabs]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 30));
  CAPTURE(seed);
  Rng rng(seed);
  Slabs slabs(1024);  // 128 rows a slab.
  std::set<std::uint32_t> taken;

  for (int op = 0; op < 3000; ++op) {
    if (taken.empty() || rng.Below(5) < 3) {
      std::uint32_t want = 0;
      while (taken.contains(want)) ++want;
      REQUIRE(slabs.Take() == want);
      taken.insert(want);
    } else {
      auto row = taken.lower_bound(static_cast<std::uint32_t>(rng.Below(slabs.end())));
      if (row == taken.end()) row = taken.begin();
      slabs.Free(*row);
      REQUIRE_FALSE(slabs.IsTaken(*row));
      taken.erase(row);
    }
    REQUIRE(slabs.size() == taken.size());
  }
  for (const std::uint32_t row : taken) REQUIRE(slabs.IsTaken(row));
}

TEST_CASE("a slab without rows goes back to the system, and is there again when it is wanted",
          "[sparse][slabs]") {
  Slabs slabs(4000);  // 64 rows a slab.
  constexpr std::uint32_t kRows = 2000;
  for (std::uint32_t i = 0; i < kRows; ++i) {
    std::memset(slabs.Values(slabs.Take()), 7, 4000);
  }
  const std::uint64_t full = slabs.bytes();

  for (std::uint32_t i = 0; i < kRows; ++i) slabs.Free(i);
  CHECK(slabs.bytes() < full / 20);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    REQUIRE(slabs.Take() == i);
    slabs.Values(i)[0] = std::byte{3};
  }

  CHECK(slabs.bytes() == full);
}

// Large enough that the block behind the last page of one is made before it is needed.
TEST_CASE("a large store is full at its last row, at the end of a block and just behind it",
          "[sparse][slabs]") {
  // The end of a block of rows of 1,100 bytes, and one row less and more.
  const std::uint32_t rows_max = (1U << 16) + GENERATE(0U, 1U, 2U) - 1;
  CAPTURE(rows_max);
  Slabs slabs(1100 - kRowHeaderBytes, rows_max);

  for (std::uint32_t row = 0; row < rows_max; ++row) {
    REQUIRE(!slabs.IsFull());
    REQUIRE(slabs.Take() == row);
    SetKey(slabs.Header(row), row);
  }

  CHECK(slabs.IsFull());
  for (std::uint32_t row = 0; row < rows_max; ++row) REQUIRE(slabs.KeyOf(row) == row);
  CHECK(slabs.bytes() >= std::uint64_t{rows_max} * 1100);
  CHECK(slabs.bytes() < std::uint64_t{rows_max} * 1100 + 4096);
}

TEST_CASE("a slab costs what is touched of it", "[sparse][slabs]") {
  Slabs slabs(128);

  slabs.Take();

  CHECK(slabs.bytes() == 4096);
}

}  // namespace
}  // namespace longtail::sparse
