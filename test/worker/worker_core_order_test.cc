// A synchronous step ends at a lane after the pulls before it are answered there.
#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "worker/core_fixture.h"

namespace longtail {
namespace {

struct Fixture : test::CoreFixture {
  Fixture() : sink(std::make_shared<PullSink>()) {}

  std::uint64_t SubmitPull(absl::Duration timeout = absl::Seconds(60)) {
    std::uint64_t call = 0;
    effects.Clear();
    std::vector<WorkerCore::Outgoing> requests = {{test::kLaneA, Pull(rows, sink)}};
    call = synchronous.Submit({.kind = "pull", .keys = 1, .deadline = now + timeout, .sink = sink},
                              requests, now, effects);
    return call;
  }
  void EndStep() {
    effects.Clear();
    std::vector<WorkerCore::Outgoing> requests = {
        {test::kLaneA, std::make_shared<BarrierRequest>()},
        {test::kLaneB, std::make_shared<BarrierRequest>()}};
    synchronous.Submit(
        {.kind = "end of step", .deadline = now + absl::Seconds(60), .ends_step = true}, requests,
        now, effects);
  }
  void SubmitPush() {
    effects.Clear();
    std::vector<WorkerCore::Outgoing> requests = {{test::kLaneA, Push({0})}};
    synchronous.Submit({.kind = "push", .keys = 1, .deadline = now + absl::Seconds(60)}, requests,
                       now, effects);
  }
  void Answer(std::uint64_t request) {
    effects.Clear();
    PullReply reply;
    reply.request = request;
    const auto values = std::make_shared<std::vector<float>>(std::vector<float>{3, 4});
    reply.values = *values;
    reply.owner = values;
    synchronous.Step({test::kLaneA, test::kSelf, reply}, now, effects);
  }
  std::vector<NodeId> Targets() const {
    std::vector<NodeId> targets;
    for (const Envelope& sent : effects.sends) targets.push_back(sent.target);
    return targets;
  }
  bool EndsStep(std::size_t i) const {
    return std::holds_alternative<std::shared_ptr<const BarrierRequest>>(effects.sends.at(i).body);
  }

  WorkerCore synchronous{{.self = test::kSelf,
                          .session = test::kSession,
                          .partition_count = 8,
                          .retry_after = absl::Seconds(5),
                          .step_mode = StepMode::kSynchronous}};
  std::vector<float> rows = {-1, -2};
  std::shared_ptr<PullSink> sink;
};

TEST_CASE_METHOD(Fixture, "the end of a step waits for its lane's pulls, and pushes wait with it",
                 "[worker][worker_core]") {
  SubmitPull();
  CHECK(Targets() == std::vector<NodeId>{test::kLaneA});
  EndStep();
  CHECK(Targets() == std::vector<NodeId>{test::kLaneB});  // No pull waits there.
  SubmitPush();
  CHECK(Targets().empty());

  now += absl::Seconds(5);  // The pull alone is sent again.
  effects.Clear();
  synchronous.Tick(now, effects);
  REQUIRE(Targets() == std::vector<NodeId>{test::kLaneA, test::kLaneB});
  CHECK_FALSE(EndsStep(0));

  Answer(1);
  REQUIRE(Targets() == std::vector<NodeId>{test::kLaneA, test::kLaneA});
  CHECK(EndsStep(0));
  CHECK(SentPush(1)->sections[0].sequence == 0);  // Barriers without sections took none.
  CHECK(rows == std::vector<float>{3, 4});
}

TEST_CASE_METHOD(Fixture, "a pull that is given up holds nothing up", "[worker][worker_core]") {
  const std::uint64_t call = SubmitPull(absl::Seconds(1));
  EndStep();
  SECTION("by its caller") {
    effects.Clear();
    synchronous.Abandon(call, now, effects);
  }
  SECTION("by its deadline") {
    now += absl::Seconds(1);
    effects.Clear();
    synchronous.Tick(now, effects);
  }
  SECTION("by a worker that leaves") {
    effects.Clear();
    synchronous.AbandonPulls(now, effects);
  }
  REQUIRE(Targets() == std::vector<NodeId>{test::kLaneA});
  CHECK(EndsStep(0));
}

}  // namespace
}  // namespace longtail
