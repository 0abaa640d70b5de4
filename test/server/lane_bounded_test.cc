// Which pulls a lane holds back with bounded staleness, and until when.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>

#include "server/lane_fixture.h"

namespace longtail::server {
namespace {

constexpr PartitionId kP0{0};
constexpr PartitionId kP2{2};
constexpr TableId kTable{0};

struct Lane : test::LaneFixture {
  explicit Lane(std::uint32_t staleness) : LaneFixture(StepMode::kBoundedStaleness, 2, staleness) {}

  // Whether a pull of worker 0 from both partitions is answered at once.
  bool IsAnswered(std::uint64_t step) {
    SendPull(test::MakePull(++request, step, {{kP0, kTable, 1, {key0}}, {kP2, kTable, 1, {key2}}}));
    return !effects.sends.empty();
  }
  void EndIn(PartitionId partition, std::uint32_t rank, std::uint64_t step) {
    auto barrier = std::make_shared<BarrierRequest>();
    *barrier = {.session = SessionId{10 + rank},
                .request = 9,
                .epoch = 1,
                .step = step,
                .sections = {{partition, step}}};
    Send(std::shared_ptr<const BarrierRequest>(std::move(barrier)));
  }

  std::uint64_t request = 100;
};

TEST_CASE("a pull is answered when the slowest worker is within the bound", "[server][bounded]") {
  const std::uint32_t staleness = GENERATE(0U, 1U, 4U);
  CAPTURE(staleness);
  Lane lane(staleness);
  constexpr std::uint64_t kSteps = 9;
  for (std::uint64_t step = 0; step < kSteps; ++step) lane.SendEnd(0, step, step);

  for (std::uint64_t ended = 0; ended < kSteps; ++ended) {
    for (std::uint64_t step = 0; step <= kSteps; ++step) {
      CAPTURE(ended, step);
      Lane fresh(staleness);
      for (std::uint64_t s = 0; s < kSteps; ++s) fresh.SendEnd(0, s, s);
      for (std::uint64_t s = 0; s < ended; ++s) fresh.SendEnd(1, s, s);
      CHECK(fresh.IsAnswered(step) == (step <= ended + staleness));
    }
  }
}

TEST_CASE("a pull that waits is answered by the end of the step that it waits for",
          "[server][bounded]") {
  Lane lane(1);
  lane.SendEnd(0, 0, 0);
  lane.SendEnd(0, 1, 1);
  lane.SendEnd(0, 2, 2);
  REQUIRE_FALSE(lane.IsAnswered(3));
  lane.SendEnd(1, 0, 0);
  CHECK(lane.effects.sends.size() == 1);  // The acknowledgement.

  lane.SendEnd(1, 1, 1);

  REQUIRE(lane.effects.sends.size() == 2);
  CHECK(lane.Answer<PullReply>(1).request == 101);
  CHECK(lane.Answer<PullReply>(1).step == 2);
}

TEST_CASE("a pull sees what other workers pushed in later steps than all have ended",
          "[server][bounded]") {
  Lane lane(2);
  lane.SendEnd(1, 0, 0);
  lane.SendPush(test::MakePush(SessionId{11}, 1, {lane.Part(kP0, 1, 2)}));

  REQUIRE(lane.IsAnswered(0));

  CHECK(lane.Answer<PullReply>().values[0] == 1);
  CHECK(lane.Answer<PullReply>().step == 0);
}

TEST_CASE("a pull waits for the slowest of the partitions that it names, and for no other",
          "[server][bounded]") {
  Lane lane(0);
  lane.SendEnd(0, 0, 0);
  lane.EndIn(kP2, 1, 0);

  CHECK_FALSE(lane.IsAnswered(1));
  lane.SendPull(test::MakePull(7, 1, {{kP2, kTable, 1, {lane.key2}}}));
  REQUIRE(lane.effects.sends.size() == 1);
  CHECK(lane.Answer<PullReply>().step == 1);
  lane.EndIn(kP0, 1, 0);

  REQUIRE(lane.effects.sends.size() == 2);
  CHECK(lane.Answer<PullReply>(1).request == 101);
}

TEST_CASE("a pull that waits is answered when the slowest worker leaves", "[server][bounded]") {
  Lane lane(1);
  lane.SendEnd(0, 0, 0);
  lane.SendEnd(0, 1, 1);
  REQUIRE_FALSE(lane.IsAnswered(2));

  lane.Send(CloseSession{3, SessionId{11}});

  REQUIRE(lane.effects.sends.size() == 2);
  CHECK(lane.Answer<PullReply>(1).step == 2);
}

TEST_CASE("a pull that waits is answered when the slowest worker says that it begins later",
          "[server][bounded]") {
  Lane lane(0);
  lane.Send(CloseSession{3, SessionId{11}});
  lane.Send(OpenSession{4, SessionId{12}, 1});
  CHECK(lane.Answer<Acknowledgement>().step == 0);
  lane.SendEnd(0, 0, 0);
  REQUIRE_FALSE(lane.IsAnswered(1));

  lane.Send(OpenSession{5, SessionId{12}, 1, 1});

  REQUIRE(lane.effects.sends.size() == 2);
  CHECK(lane.Answer<Acknowledgement>().step == 1);
  CHECK(lane.Answer<PullReply>(1).request == 101);
}

TEST_CASE("a session's opening is answered with the furthest step of a partition",
          "[server][bounded]") {
  Lane lane(0);
  lane.SendEnd(0, 0, 0);
  lane.EndIn(kP2, 1, 0);

  lane.Send(OpenSession{5, SessionId{11}, 1});

  CHECK(lane.Answer<Acknowledgement>().step == 1);
}

TEST_CASE("pulls that wait for slower workers have a named limit", "[server][bounded]") {
  Lane lane(2);
  for (std::size_t i = 0; i < kWaitingPullsMax; ++i) REQUIRE_FALSE(lane.IsAnswered(3));

  REQUIRE(lane.IsAnswered(3));

  CHECK(
      lane.Answer<PullReply>().status ==
      absl::ResourceExhaustedError("lane 2: 4096 pulls wait for a step to end: want at most 4096"));
  CHECK(lane.Answer<PullReply>().step == 0);
}

}  // namespace
}  // namespace longtail::server
