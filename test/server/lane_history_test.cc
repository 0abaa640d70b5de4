// What a log of a lane can be made again of, and what two logs share.
#include "server/lane_history.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/lane_log.h"
#include "server/cluster_fixture.h"
#include "server/request_builder.h"
#include "sim/memory_store.h"

namespace longtail::server {
namespace {

using test::Must;

LaneHistory Log(std::vector<EpochStart> epochs, std::uint64_t end) {
  LaneHistory history{};
  history.epochs = std::move(epochs);
  history.end = end;
  return history;
}

TEST_CASE("two logs share what was before they had different leaders", "[server][log]") {
  struct Case {
    const char* what;
    LaneHistory one;
    LaneHistory other;
    std::uint64_t shared;
  };
  const std::vector<Case> cases = {
      {"one is shorter", Log({{1, 0}}, 40), Log({{1, 0}}, 60), 40},
      {"one ended before the next leader", Log({{1, 0}}, 40), Log({{1, 0}, {2, 60}}, 80), 40},
      {"one went on without a leader that the other had", Log({{1, 0}}, 75),
       Log({{1, 0}, {2, 60}}, 80), 60},
      {"both did", Log({{1, 0}, {2, 50}}, 90), Log({{1, 0}, {3, 60}}, 80), 50},
      {"the same epoch, begun elsewhere", Log({{1, 0}, {2, 50}}, 90), Log({{1, 0}, {2, 60}}, 80),
       50},
      {"alike", Log({{1, 0}, {2, 50}}, 90), Log({{1, 0}, {2, 50}}, 90), 90},
      {"of another lane's making", Log({{1, 0}}, 90), Log({{4, 0}}, 80), 0},
      {"a server that came back leads under the same number", Log({{0, 0}, {0, 30}}, 40),
       Log({{0, 0}, {0, 30}, {0, 45}}, 60), 40},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(SharedEnd(c.one, c.other) == c.shared);
    CHECK(SharedEnd(c.other, c.one) == c.shared);
  }
}

TEST_CASE("a log says of which records, moments and steps it is", "[server][log]") {
  sim::MemoryStore store;
  auto map = std::make_shared<ClusterMap>();
  map->cluster = 9;
  map->step_mode = StepMode::kSynchronous;
  map->lanes = {NodeId{1}};
  map->lane_of = {0};
  const LaneLogKey key{NodeId{1}, 4, true, false};
  const std::string prefix = LaneLogPrefix("s", NodeId{1}, 4);
  const auto read = [&] { return Must(ReadLaneHistory(store, Must(store.List("")), "s", key)); };
  CHECK_FALSE(read().has_value());

  std::string frame;
  std::string bytes;
  AppendLaneLogHeader({.lane = 1, .cluster = 9, .first = 0}, bytes);
  Must(store.Write(LaneLogName(prefix, 0), bytes));
  CHECK_FALSE(read().has_value());  // No record.

  AppendLogRecord(MapReply{.request = 0, .status = {}, .waits_for = {}, .map = map}, {0, 0, 1000},
                  frame, bytes);
  AppendLogRecord(OpenSession{1, SessionId{7}, 0}, {1, 1, 2000}, frame, bytes);
  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {.session = SessionId{7},
              .request = 1,
              .epoch = 1,
              .step = 0,
              .sections = {{PartitionId{0}, 0}}};
  AppendLogRecord(Message(std::shared_ptr<const BarrierRequest>(barrier)), {2, 2, 3000}, frame,
                  bytes);
  Must(store.Write(LaneLogName(prefix, 0), bytes));
  const LaneHistory whole = *read();
  CHECK(whole.has_beginning);
  CHECK(whole.begin == 0);
  CHECK(whole.begin_us == 1000);
  CHECK(whole.end == 3);
  CHECK(whole.end_us == 3000);
  CHECK(whole.end_step == 1);
  CHECK(whole.map->cluster == 9);
  CHECK(whole.epochs.size() == 1);

  LaneBase base;
  base.lane = 1;
  base.log_end = 3;
  base.time_us = 3000;
  base.map = *map;
  base.epochs = {{1, 0}};
  base.partitions.emplace_back();
  base.partitions[0].log_position = 2;
  base.partitions[0].step = 1;
  Must(store.Write(LaneBaseName(prefix, 3), EncodeLaneBase(base)));
  CHECK(read()->bases.size() == 1);
  CHECK(read()->has_beginning);
  Must(store.Remove(LaneLogName(prefix, 0)));
  const LaneHistory left = *read();
  CHECK_FALSE(left.has_beginning);
  CHECK(left.begin == 3);
  CHECK(left.begin_us == 3000);
  CHECK(left.begin_step == 1);
  CHECK(left.end == 3);
  CHECK(left.end_us == 3000);
  CHECK(left.end_step == 1);
}

}  // namespace
}  // namespace longtail::server
