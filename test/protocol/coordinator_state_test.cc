// What a coordinator writes down comes back, or is refused by name.
#include "protocol/coordinator_state.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "protocol/sample_stored.h"

namespace longtail {
namespace {

TEST_CASE("a coordinator's state comes back as it was", "[protocol][coordinator_state]") {
  CoordinatorState state = test::SampleCoordinatorState();
  CHECK(DecodeCoordinatorState("s", AsBytes(EncodeCoordinatorState(state))).value() == state);

  state.pending.reset();
  state.workers.clear();
  CHECK(DecodeCoordinatorState("s", AsBytes(EncodeCoordinatorState(state))).value() == state);

  CoordinatorState unformed;
  unformed.map.lane_of.assign(8, 0);
  CHECK(DecodeCoordinatorState("s", AsBytes(EncodeCoordinatorState(unformed))).value() == unformed);
}

TEST_CASE("a coordinator's state cut short or flipped anywhere is refused by name",
          "[protocol][coordinator_state]") {
  const std::string blob = EncodeCoordinatorState(test::SampleCoordinatorState());
  for (std::size_t i = 0; i < blob.size(); ++i) {
    CAPTURE(i);
    std::string flipped = blob;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    const absl::Status cut = DecodeCoordinatorState("state-1", AsBytes(blob.substr(0, i))).status();
    const absl::Status damaged = DecodeCoordinatorState("state-1", AsBytes(flipped)).status();
    CHECK(absl::IsDataLoss(cut));
    CHECK_FALSE(damaged.ok());
    CHECK(std::string(damaged.message()).find("state-1") != std::string::npos);
  }
}

}  // namespace
}  // namespace longtail
