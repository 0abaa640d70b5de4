#include "checkpoint/flipped_bit.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "base/random.h"
#include "protocol/checksum.h"

namespace longtail::checkpoint {
namespace {

std::string SomeBytes(std::size_t size) {
  Rng rng(5);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.Below(256));
  return bytes;
}

void Flip(std::string& bytes, std::size_t byte, int bit) {
  bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
}

TEST_CASE("each single bit is found and put back", "[checkpoint][flipped_bit]") {
  for (const std::size_t size : {1U, 63U, 300U}) {
    const std::string whole = SomeBytes(size);
    const std::uint64_t checksum = Checksum(AsBytes(whole));
    for (std::size_t byte = 0; byte < size; ++byte) {
      const int bit = static_cast<int>(byte % 8);
      std::string bytes = whole;
      Flip(bytes, byte, bit);
      REQUIRE(PutFlippedBitBack(bytes, checksum) == FlippedBit{.byte = byte, .bit = bit});
      REQUIRE(bytes == whole);
    }
  }
}

TEST_CASE("what is no single bit is left as it is", "[checkpoint][flipped_bit]") {
  const std::string whole = SomeBytes(200);
  std::string bytes = whole;
  Flip(bytes, 3, 1);
  Flip(bytes, 90, 7);
  const std::string damaged = bytes;

  CHECK_FALSE(PutFlippedBitBack(bytes, Checksum(AsBytes(whole))).has_value());
  CHECK(bytes == damaged);
  std::string nothing;
  CHECK_FALSE(PutFlippedBitBack(nothing, 1).has_value());
}

TEST_CASE("a search ends with the work it may do", "[checkpoint][flipped_bit]") {
  const std::string whole = SomeBytes(100);
  const std::uint64_t checksum = Checksum(AsBytes(whole));
  std::string bytes = whole;
  Flip(bytes, 2, 0);  // The 17th bit.
  const std::string damaged = bytes;

  CHECK_FALSE(PutFlippedBitBack(bytes, checksum, 1699).has_value());
  CHECK(bytes == damaged);
  CHECK(PutFlippedBitBack(bytes, checksum, 1700).has_value());
}

}  // namespace
}  // namespace longtail::checkpoint
