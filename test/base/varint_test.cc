// Varints come back as they were, and what is none is refused.
#include "base/varint.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"

namespace longtail {
namespace {

constexpr std::uint64_t kAny = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("numbers come back one after another, each in as few bytes as it needs",
          "[base][varint]") {
  Rng rng(1);
  std::vector<std::uint64_t> values = {0, 1, 127, 128, 16'383, 16'384, kAny};
  for (int i = 0; i < 1000; ++i) values.push_back(rng.Next() >> rng.Below(64));
  std::string bytes;
  for (const std::uint64_t value : values) {
    const std::size_t before = bytes.size();
    AppendVarint(value, bytes);
    REQUIRE(bytes.size() - before == VarintBytes(value));
    REQUIRE(VarintBytes(value) <= kVarintBytesMax);
  }

  std::span<const std::byte> left = AsBytes(bytes);
  for (const std::uint64_t value : values) {
    std::uint64_t got = 0;
    REQUIRE(TakeVarint(left, kAny, got));
    REQUIRE(got == value);
  }

  CHECK(left.empty());
}

TEST_CASE("what is cut short, too long or too large is refused and stays", "[base][varint]") {
  const std::string bad = GENERATE(values<std::string>({
      "", "\x80", "\xFF\xFF\xFF", std::string("\x80\x00", 2),  // 0 in two bytes.
      std::string("\xFF\x80\x00", 3),                          // 127 in three.
      "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",              // 65 bits.
      "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",          // Eleven bytes.
  }));
  std::span<const std::byte> left = AsBytes(bad);
  std::uint64_t value = 77;

  CHECK_FALSE(TakeVarint(left, kAny, value));
  CHECK(left.size() == bad.size());
  CHECK(value == 77);
}

TEST_CASE("a number above the limit is refused", "[base][varint]") {
  std::string bytes;
  AppendVarint(1000, bytes);
  std::span<const std::byte> left = AsBytes(bytes);
  std::uint64_t value = 0;

  CHECK_FALSE(TakeVarint(left, 999, value));
  CHECK(TakeVarint(left, 1000, value));
  CHECK(value == 1000);
}

TEST_CASE("small differences of either sign are small numbers", "[base][varint]") {
  for (std::int64_t i = -300; i <= 300; ++i) {
    const auto difference = static_cast<std::uint64_t>(i);
    CHECK(ZigZag(difference) == static_cast<std::uint64_t>(i < 0 ? -2 * i - 1 : 2 * i));
    CHECK(UnZigZag(ZigZag(difference)) == difference);
  }
  Rng rng(3);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t difference = rng.Next();
    REQUIRE(UnZigZag(ZigZag(difference)) == difference);
  }
}

}  // namespace
}  // namespace longtail
