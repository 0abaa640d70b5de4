// What a lane has beside its rows comes back as it was, or is refused by name.
#include "protocol/lane_base.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "golden/hex.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

TEST_CASE("a base comes back as it was", "[protocol][lane_base]") {
  const LaneBase base = test::SampleLaneBase();
  const std::string blob = EncodeLaneBase(base);

  const absl::StatusOr<LaneBase> decoded = DecodeLaneBase("b", AsBytes(blob));

  INFO(decoded.status().ToString());
  REQUIRE(decoded.ok());
  CHECK(decoded->lane == base.lane);
  CHECK(decoded->log_end == base.log_end);
  CHECK(decoded->map == base.map);
  CHECK(decoded->epochs == base.epochs);
  CHECK(decoded->tables == base.tables);
  CHECK(decoded->partitions == base.partitions);
  REQUIRE(decoded->pushes.size() == 1);
  CHECK(decoded->pushes[0]->sections[1].keys[0] == base.pushes[0]->sections[1].keys[0]);
  CHECK(EncodeLaneBase(*decoded) == blob);
}

TEST_CASE("a base has the bytes it always had", "[protocol][golden]") {
  const std::string golden =
      test::BytesOfHex(test::FileText(std::string(LONGTAIL_GOLDEN_DIR) + "/lane_base.hex"));
  CHECK(test::HexOfBytes(EncodeLaneBase(test::SampleLaneBase())) == test::HexOfBytes(golden));
}

TEST_CASE("a base cut short or flipped anywhere is refused by name", "[protocol][lane_base]") {
  const std::string blob = EncodeLaneBase(test::SampleLaneBase());
  for (std::size_t i = 0; i < blob.size(); ++i) {
    CAPTURE(i);
    std::string flipped = blob;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    const absl::Status cut = DecodeLaneBase("base-1", AsBytes(blob.substr(0, i))).status();
    const absl::Status damaged = DecodeLaneBase("base-1", AsBytes(flipped)).status();
    CHECK(absl::IsDataLoss(cut));
    CHECK_FALSE(damaged.ok());
    CHECK(std::string(damaged.message()).find("base-1") != std::string::npos);
  }
}

TEST_CASE("what is held must name sections that are there", "[protocol][lane_base]") {
  LaneBase base = test::SampleLaneBase();
  SECTION("in a push") {
    base.partitions[0].held[0] = {0, 1, 0, 1};
  }
  SECTION("one at the least") {
    base.partitions[0].held[0] = {0, 0, 1, 1};
  }
  SECTION("before its end") {
    base.partitions[0].held[0] = {0, 0, 0, 3};
  }
  SECTION("of their partition") {
    base.partitions[0].partition = PartitionId{5};
  }
  const absl::Status status = DecodeLaneBase("base-1", AsBytes(EncodeLaneBase(base))).status();
  CHECK(std::string(status.message()).find("held sections") != std::string::npos);
}

}  // namespace
}  // namespace longtail
