// What a worker's core writes into its requests: sessions, steps, sequences.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "worker/core_fixture.h"

namespace longtail {
namespace {

using Fixture = test::CoreFixture;

std::vector<std::uint64_t> Sequences(const PushRequest& push) {
  std::vector<std::uint64_t> sequences;
  for (const PushSection& section : push.sections) sequences.push_back(section.sequence);
  return sequences;
}

TEST_CASE_METHOD(Fixture, "each partition has its own sequence", "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0, 2, 5})}});
  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{0, 0, 0});
  Submit("push", {{test::kLaneA, Push({2})}});
  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{1});
  Submit("push", {{test::kLaneA, Push({0, 2, 3})}});

  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{1, 2, 0});
}

TEST_CASE_METHOD(Fixture, "sections of one partition share a sequence number",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0, 0, 1, 1, 1})}});
  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{0, 0, 0, 0, 0});
  Submit("push", {{test::kLaneA, Push({0, 1})}});

  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{1, 1});
}

TEST_CASE_METHOD(Fixture, "the end of a step takes its place among the pushes",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({1})}});
  auto barrier = std::make_shared<BarrierRequest>();
  barrier->sections = {{PartitionId{0}, 0}, {PartitionId{1}, 0}};
  Submit("end of step", {{test::kLaneA, barrier}});

  const auto& sent = *std::get<std::shared_ptr<const BarrierRequest>>(effects.sends.at(0).body);
  CHECK(sent.session == test::kSession);
  CHECK(sent.sections[0].sequence == 0);
  CHECK(sent.sections[1].sequence == 1);
  Submit("push", {{test::kLaneA, Push({0, 1})}});
  CHECK(Sequences(*SentPush(0)) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE_METHOD(Fixture, "requests carry the session, the step and numbers of their own",
                 "[worker][worker_core]") {
  std::vector<float> rows(2);
  Submit("push", {{test::kLaneA, Push({0})}, {test::kLaneB, Push({1})}});
  const auto first = SentPush(0);
  const auto second = SentPush(1);
  CHECK(effects.sends[0].source == test::kSelf);
  CHECK(effects.sends[0].target == test::kLaneA);
  CHECK(effects.sends[1].target == test::kLaneB);
  CHECK(first->session == test::kSession);
  CHECK(first->request != second->request);
  CHECK(first->step == 0);

  effects.Clear();
  std::vector<WorkerCore::Outgoing> ending = {{test::kLaneA, std::make_shared<BarrierRequest>()}};
  core.Submit({.kind = "end of step", .deadline = now + absl::Seconds(1), .ends_step = true},
              ending, now, effects);
  CHECK(std::get<std::shared_ptr<const BarrierRequest>>(effects.sends[0].body)->step == 0);
  CHECK(core.step() == 1);
  Submit("push", {{test::kLaneA, Push({0})}});
  CHECK(SentPush(0)->step == 1);
  Submit("pull", {{test::kLaneA, Pull(rows, nullptr)}});
  CHECK(std::get<std::shared_ptr<const PullRequest>>(effects.sends[0].body)->step == 1);
}

TEST_CASE_METHOD(Fixture, "a worker begins with the furthest step that a lane answers",
                 "[worker][worker_core]") {
  Submit("open", {{test::kLaneA, OpenSession{}}, {test::kLaneB, OpenSession{}}});
  const auto open = std::get<OpenSession>(effects.sends.at(1).body);
  CHECK(open.session == test::kSession);
  CHECK(open.rank == 3);
  Acknowledge(test::kLaneA, 1, {}, 12);
  CHECK(effects.completions.empty());
  Acknowledge(test::kLaneB, 2, {}, 11);

  REQUIRE(effects.completions.size() == 1);
  CHECK(core.step() == 12);
}

TEST_CASE("a worker that joins tells every partition where it begins", "[worker][worker_core]") {
  Fixture fixture;
  WorkerCore core({.self = test::kSelf,
                   .session = test::kSession,
                   .rank = 3,
                   .partition_count = 8,
                   .step_mode = GENERATE(StepMode::kSynchronous, StepMode::kBoundedStaleness)});
  Effects& effects = fixture.effects;
  std::vector<WorkerCore::Outgoing> opening = {{test::kLaneA, OpenSession{}},
                                               {test::kLaneB, OpenSession{}}};
  core.Submit({.kind = "open", .deadline = fixture.now + absl::Seconds(60)}, opening, fixture.now,
              effects);
  const auto answer = [&](NodeId lane, std::uint64_t request, std::uint64_t step) {
    effects.Clear();
    core.Step({lane, test::kSelf, Acknowledgement{request, {}, step}}, fixture.now, effects);
  };
  answer(test::kLaneA, 1, 12);
  CHECK(effects.sends.empty());

  answer(test::kLaneB, 2, 11);
  REQUIRE(effects.sends.size() == 2);
  CHECK(effects.completions.empty());
  const auto again = std::get<OpenSession>(effects.sends[1].body);
  CHECK(again.session == test::kSession);
  CHECK(again.rank == 3);
  CHECK(again.step == 12);
  answer(test::kLaneA, 4, 12);  // Who answered first is told first: lane A has request 3.
  CHECK(core.outstanding() == 2);
  answer(test::kLaneA, 3, 12);
  answer(test::kLaneB, 4, 12);

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status.ok());
  CHECK(effects.sends.empty());
  CHECK(core.step() == 12);
}

TEST_CASE("a worker of a new cluster opens its session once", "[worker][worker_core]") {
  WorkerCore core({.self = test::kSelf, .step_mode = StepMode::kBoundedStaleness});
  Effects effects;
  std::vector<WorkerCore::Outgoing> opening = {{test::kLaneA, OpenSession{}}};
  core.Submit({.kind = "open", .deadline = absl::InfiniteFuture()}, opening, absl::UnixEpoch(),
              effects);
  effects.Clear();

  core.Step({test::kLaneA, test::kSelf, Acknowledgement{1, {}, 0}}, absl::UnixEpoch(), effects);

  CHECK(effects.sends.empty());
  CHECK(effects.completions.size() == 1);
}

TEST_CASE_METHOD(Fixture, "only the answer to opening the session sets the step",
                 "[worker][worker_core]") {
  Submit("open", {{test::kLaneA, OpenSession{}}});
  Acknowledge(test::kLaneA, 1, {}, 4);
  Submit("push", {{test::kLaneA, Push({0})}});
  Acknowledge(test::kLaneA, 2, {}, 9);

  CHECK(core.step() == 4);
}

TEST_CASE_METHOD(Fixture, "a call is complete when every lane has answered",
                 "[worker][worker_core]") {
  const std::uint64_t call = Submit("push", {{test::kLaneA, Push({0})}, {test::kLaneB, Push({1})}});
  Acknowledge(test::kLaneB, 2);
  CHECK(effects.completions.empty());
  Acknowledge(test::kLaneA, 1);

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].call == call);
  CHECK(effects.completions[0].status.ok());
  CHECK(core.outstanding() == 0);
}

TEST_CASE_METHOD(Fixture, "the first error of a lane is the call's, once all have answered",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}, {test::kLaneB, Push({1})}});
  Acknowledge(test::kLaneB, 2, absl::NotFoundError("first"));
  CHECK(effects.completions.empty());
  Acknowledge(test::kLaneA, 1, absl::InvalidArgumentError("second"));

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status == absl::NotFoundError("first"));
}

TEST_CASE_METHOD(Fixture, "a call of no requests is complete at once", "[worker][worker_core]") {
  const std::uint64_t call = Submit("push", {});

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].call == call);
  CHECK(effects.completions[0].status.ok());
}

TEST_CASE_METHOD(Fixture, "calls beyond the named limit are refused and use no sequence",
                 "[worker][worker_core]") {
  for (std::size_t i = 0; i < kOutstandingRequestsMax; ++i) {
    Submit("push", {{test::kLaneA, Push({0})}});
  }
  CHECK(SentPush(0)->sections[0].sequence == kOutstandingRequestsMax - 1);
  auto sink = std::make_shared<PullSink>();

  const std::uint64_t call = Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(60), sink);

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].call == call);
  CHECK(absl::IsResourceExhausted(effects.completions[0].status));
  const std::string message(effects.completions[0].status.message());
  CHECK(message.find("push of 17 keys: 4096 requests") != std::string::npos);
  CHECK(message.find("at most 4096") != std::string::npos);
  CHECK(effects.sends.empty());
  CHECK_FALSE(sink->Enter());
  Acknowledge(test::kLaneA, 1);
  Submit("push", {{test::kLaneA, Push({0})}});
  CHECK(SentPush(0)->sections[0].sequence == kOutstandingRequestsMax);
}

TEST_CASE_METHOD(Fixture, "a step whose end is refused has not ended", "[worker][worker_core]") {
  for (std::size_t i = 0; i < kOutstandingRequestsMax; ++i) {
    Submit("push", {{test::kLaneA, Push({0})}});
  }
  std::vector<WorkerCore::Outgoing> ending = {{test::kLaneA, std::make_shared<BarrierRequest>()}};
  effects.Clear();

  core.Submit({.kind = "end of step", .deadline = now + absl::Seconds(1), .ends_step = true},
              ending, now, effects);

  REQUIRE(effects.completions.size() == 1);
  CHECK(absl::IsResourceExhausted(effects.completions[0].status));
  CHECK(core.step() == 0);
}

}  // namespace
}  // namespace longtail
