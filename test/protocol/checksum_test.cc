#include "protocol/checksum.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace longtail {
namespace {

TEST_CASE("the checksum is XXH3-64 as published", "[protocol][checksum]") {
  // From the xxHash sanity checks: no bytes, seed 0.
  CHECK(Checksum(AsBytes("")) == 0x2D06800538D394C2U);
  CHECK(ChecksumHex(0x0123456789ABCDEF) == "0123456789abcdef");
  CHECK(ChecksumHex(15) == "000000000000000f");
}

TEST_CASE("bytes in two pieces have the checksum of the whole", "[protocol][checksum]") {
  std::string bytes(1000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 37 + 1);
  for (std::size_t split = 0; split <= bytes.size(); split += 37) {
    CAPTURE(split);
    const auto all = AsBytes(bytes);
    CHECK(Checksum(all.first(split), all.subspan(split)) == Checksum(all));
  }
}

TEST_CASE("bytes piece by piece have the checksum of the whole", "[protocol][checksum]") {
  std::string bytes(3000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 41 + 3);
  const auto all = AsBytes(bytes);
  RunningChecksum running;
  CHECK(running.value() == Checksum(AsBytes("")));
  std::size_t done = 0;
  for (std::size_t piece = 0; done < all.size(); ++piece) {
    const std::size_t size = std::min(piece, all.size() - done);
    running.Add(all.subspan(done, size));
    done += size;
    CAPTURE(done);
    REQUIRE(running.value() == Checksum(all.first(done)));
  }
}

}  // namespace
}  // namespace longtail
