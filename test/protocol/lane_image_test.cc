// A part of a lane's image comes back as it was, or is refused by name.
#include "protocol/lane_image.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "golden/hex.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

const std::vector<std::string> kChunks = {"rows of one", "and of another"};

std::string Sample() {
  LaneBase base = test::SampleLaneBase();
  base.blobs = {{"image/0", kChunks[0].size(), 5, 6}, {"image/1", kChunks[1].size(), 7, 8}};
  return EncodeLaneImagePart(base, kChunks);
}

TEST_CASE("a part of an image comes back as it was", "[protocol][replica]") {
  const std::string bytes = Sample();
  const auto part = DecodeLaneImagePart("part 3", AsBytes(bytes));

  INFO(part.status().ToString());
  REQUIRE(part.ok());
  CHECK(part->base.partitions == test::SampleLaneBase().partitions);
  REQUIRE(part->chunks.size() == 2);
  CHECK(AsText(part->chunks[0]) == kChunks[0]);
  CHECK(AsText(part->chunks[1]) == kChunks[1]);
}

TEST_CASE("a part of an image has the bytes it always had", "[protocol][golden]") {
  const std::string golden =
      test::BytesOfHex(test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/lane_image.hex"));
  CHECK(test::HexOfBytes(Sample()) == test::HexOfBytes(golden));
}

TEST_CASE("a part of an image that is cut short or too long is refused by name",
          "[protocol][replica]") {
  const std::string bytes = Sample();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    const absl::Status cut = DecodeLaneImagePart("part 3", AsBytes(bytes).first(size)).status();
    CHECK_FALSE(cut.ok());
    CHECK(std::string(cut.message()).find("part 3") != std::string::npos);
  }
  CHECK_FALSE(DecodeLaneImagePart("part 3", AsBytes(bytes + "x")).ok());
}

}  // namespace
}  // namespace longtail
