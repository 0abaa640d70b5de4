#include "sparse/slabs.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

TEST_CASE("rows of every size are aligned, apart and stay where they are", "[sparse][slabs]") {
  const std::size_t row_bytes = GENERATE(16U, 48U, 144U, 4112U, 262'160U);
  CAPTURE(row_bytes);
  Slabs slabs(row_bytes);
  const std::uint32_t rows = row_bytes > 100'000 ? 40 : 5000;
  std::set<std::byte*> addresses;
  std::vector<std::byte*> first_seen;

  for (std::uint32_t i = 0; i < rows; ++i) {
    REQUIRE(slabs.Take() == i);
    std::byte* row = slabs.Row(i);
    std::memset(row, static_cast<int>(i % 251), row_bytes);
    addresses.insert(row);
    first_seen.push_back(row);
  }

  std::byte* last_end = nullptr;
  for (std::byte* row : addresses) {
    REQUIRE(reinterpret_cast<std::uintptr_t>(row) % kRowAlignment == 0);
    REQUIRE((last_end == nullptr || row >= last_end));
    last_end = row + row_bytes;
  }
  for (std::uint32_t i = 0; i < rows; ++i) {
    REQUIRE(slabs.Row(i) == first_seen[i]);
    REQUIRE(std::to_integer<std::uint32_t>(slabs.Row(i)[row_bytes - 1]) == i % 251);
  }
  CHECK(slabs.bytes() >= std::uint64_t{rows} * row_bytes);
}

TEST_CASE("freed row numbers are taken again before new ones", "[sparse][slabs]") {
  Slabs slabs(32);
  for (int i = 0; i < 200; ++i) slabs.Take();
  const std::uint64_t bytes = slabs.bytes();

  slabs.Free(7);
  slabs.Free(130);

  CHECK(slabs.size() == 198);
  CHECK_FALSE(slabs.IsTaken(7));
  CHECK(slabs.IsTaken(8));
  CHECK(slabs.Take() == 130);
  CHECK(slabs.Take() == 7);
  CHECK(slabs.IsTaken(7));
  CHECK(slabs.Take() == 200);
  CHECK(slabs.end() == 201);
  CHECK(slabs.bytes() == bytes);
}

}  // namespace
}  // namespace longtail::sparse
