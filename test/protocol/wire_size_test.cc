#include "protocol/wire_size.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <string>

#include "protocol/sample_messages.h"
#include "protocol/wire.h"

namespace longtail {
namespace {

TEST_CASE("a message's size on the wire is that of its frame", "[protocol][wire_size][property]") {
  std::uint64_t sized = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const Message message = test::RandomMessage(rng);
    const WireSize size = SizeOnWire(message);
    if (size.bytes == 0) continue;  // Nothing that a worker and a lane say while they train.
    ++sized;
    std::string frame;
    Encode(message, frame);
    REQUIRE(size.bytes == frame.size());
    REQUIRE(size.keys + size.values <= size.bytes);
  }
  CHECK(sized > 300);
}

TEST_CASE("keys and values are told apart", "[protocol][wire_size]") {
  for (const test::NamedMessage& sample : test::SampleMessages()) {
    const WireSize size = SizeOnWire(sample.message);
    if (sample.name == "push_request") {
      CHECK(size.keys == 4 * 8);
      CHECK(size.values == 7 * 4);
    }
    if (sample.name == "compact_push") {
      CHECK(size.keys == 2 * 8 + 16 + 2);
      CHECK(size.values == 2 * 4 + 3 + 4 * 2);
    }
    if (sample.name == "compact_pull_reply") CHECK(size.values == 12);
  }
}

}  // namespace
}  // namespace longtail
