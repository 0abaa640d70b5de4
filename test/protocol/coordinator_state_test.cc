// What a coordinator writes down comes back, or is refused by name.
#include "protocol/coordinator_state.h"

#include <catch2/catch.hpp>
#include <string>

#include "base/bytes.h"
#include "protocol/sample_messages.h"

namespace longtail {
namespace {

CoordinatorState SampleState() {
  CoordinatorState state;
  state.server_count = 2;
  state.map = {.version = 3,
               .epoch = 4,
               .step_mode = StepMode::kSynchronous,
               .worker_count = 5,
               .lanes = {NodeId{1}, NodeId{2}},
               .lane_of = {0, 0, 1, 1},
               .tables = {test::SampleSpec(1), test::SampleLaterSpec()},
               .servers = {{"a", 6, "host", {{NodeId{1}, {"tcp://h:1", "ipc:///x"}}}},
                           {"b", 7, "host", {{NodeId{2}, {"tcp://h:2"}}}}}};
  state.next_session = 8;
  state.workers = {{SessionId{3}, 0, "w:1", 9}, {SessionId{7}, 4, "w:2", 10}};
  state.pending = test::SampleSpec(2);
  return state;
}

TEST_CASE("a coordinator's state comes back as it was", "[protocol][coordinator_state]") {
  CoordinatorState state = SampleState();
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
  const std::string blob = EncodeCoordinatorState(SampleState());
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
