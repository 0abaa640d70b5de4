// Pulls: rows that are placed, sinks that are closed, calls that are forgotten.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/core_fixture.h"

namespace longtail {
namespace {

struct Fixture : test::CoreFixture {
  std::uint64_t SubmitPull(absl::Duration timeout = absl::Seconds(60)) {
    return Submit("pull", {{test::kLaneA, Pull(rows, sink)}}, timeout, sink);
  }
  void Reply(std::uint64_t request, const std::vector<float>& values, absl::Status status = {}) {
    Deliver(test::kLaneA, PullReply{.request = request,
                                    .status = std::move(status),
                                    .step = 0,
                                    .values = values,
                                    .counts = {},
                                    .owner = nullptr});
  }

  std::vector<float> rows = {-1, -2};
  std::shared_ptr<PullSink> sink = std::make_shared<PullSink>();
};

TEST_CASE_METHOD(Fixture, "rows that a reply carries are placed", "[worker][worker_core]") {
  SubmitPull();

  Reply(1, {3, 4});

  CHECK(rows == std::vector<float>{3, 4});
  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status.ok());
  CHECK_FALSE(sink->Enter());
}

TEST_CASE_METHOD(Fixture, "a reply without rows ends a pull whose lane wrote them itself",
                 "[worker][worker_core]") {
  SubmitPull();

  Reply(1, {});

  CHECK(rows == std::vector<float>{-1, -2});
  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status.ok());
}

TEST_CASE_METHOD(Fixture, "a reply with too many rows is refused", "[worker][worker_core]") {
  SubmitPull();

  Reply(1, {3, 4, 5});

  CHECK(rows == std::vector<float>{-1, -2});
  REQUIRE(effects.completions.size() == 1);
  CHECK(absl::IsInvalidArgument(effects.completions[0].status));
}

TEST_CASE_METHOD(Fixture, "an error of a pull is the call's", "[worker][worker_core]") {
  SubmitPull();

  Reply(1, {}, absl::NotFoundError("table 4"));

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status == absl::NotFoundError("table 4"));
  CHECK_FALSE(sink->Enter());
}

TEST_CASE_METHOD(Fixture, "a pull past its deadline is forgotten and its memory left alone",
                 "[worker][worker_core]") {
  SubmitPull(absl::Seconds(1));

  TickAfter(absl::Seconds(1));

  REQUIRE(effects.completions.size() == 1);
  const std::string message(effects.completions[0].status.message());
  CHECK(message.find("pull of 17 keys: no answer from lane 7") != std::string::npos);
  CHECK(message.find("waits for") == std::string::npos);  // Nobody, in asynchronous mode.
  CHECK(core.outstanding() == 0);
  CHECK_FALSE(sink->Enter());
  Reply(1, {3, 4});
  CHECK(rows == std::vector<float>{-1, -2});
  TickAfter(absl::Seconds(5));
  CHECK(effects.sends.empty());
}

TEST_CASE_METHOD(Fixture, "an abandoned pull is forgotten and its memory left alone",
                 "[worker][worker_core]") {
  const std::uint64_t call = SubmitPull();

  core.Abandon(call, now, effects);

  CHECK(core.outstanding() == 0);
  CHECK_FALSE(sink->Enter());
  Reply(1, {3, 4});
  CHECK(rows == std::vector<float>{-1, -2});
  CHECK(effects.completions.empty());
}

TEST_CASE_METHOD(Fixture, "abandoning a call that is over changes nothing",
                 "[worker][worker_core]") {
  const std::uint64_t call = SubmitPull();
  Reply(1, {3, 4});
  std::vector<float> other_rows = {-3, -4};
  auto other_sink = std::make_shared<PullSink>();
  Submit("pull", {{test::kLaneA, Pull(other_rows, other_sink)}}, absl::Seconds(60), other_sink);

  core.Abandon(call, now, effects);

  CHECK(core.outstanding() == 1);
  Reply(2, {5, 6});
  CHECK(other_rows == std::vector<float>{5, 6});
}

TEST_CASE_METHOD(Fixture, "a worker that leaves gives up its pulls and keeps its pushes",
                 "[worker][worker_core]") {
  SubmitPull();
  Submit("push", {{test::kLaneA, Push({0})}});

  core.AbandonPulls(now, effects);

  CHECK(core.outstanding() == 1);
  CHECK_FALSE(sink->Enter());
  Reply(1, {3, 4});
  CHECK(rows == std::vector<float>{-1, -2});
  Acknowledge(test::kLaneA, 2);
  CHECK(effects.completions.size() == 1);
}

// A worker in step 5 whose pulls are answered by lanes that say how far they are.
struct SteppedFixture : Fixture {
  explicit SteppedFixture(StepMode mode = StepMode::kBoundedStaleness, std::uint32_t staleness = 4)
      : stepped({.self = test::kSelf,
                 .partition_count = 8,
                 .step_mode = mode,
                 .staleness = staleness}) {
    for (int i = 0; i < 5; ++i) {
      stepped.Submit({.deadline = now + absl::Seconds(60), .ends_step = true}, {}, now, effects);
    }
  }
  // Pulls from both lanes; each says how many steps it has applied.
  void PullAnswered(std::optional<std::uint32_t> steps_ahead, std::uint64_t applied_a,
                    std::uint64_t applied_b, const absl::Status& status = {}) {
    std::vector<WorkerCore::Outgoing> requests = {{test::kLaneA, Pull(rows, sink)},
                                                  {test::kLaneB, Pull(rows, sink)}};
    stepped.Submit({.kind = "pull",
                    .deadline = now + absl::Seconds(60),
                    .sink = sink,
                    .steps_ahead = steps_ahead},
                   requests, now, effects);
    Answer(test::kLaneB, next_request + 1, applied_b, {});
    Answer(test::kLaneA, next_request, applied_a, status);
    next_request += 2;
  }
  void Answer(NodeId lane, std::uint64_t request, std::uint64_t step, const absl::Status& status) {
    const PullReply reply{.request = request,
                          .status = status,
                          .step = step,
                          .values = {},
                          .counts = {},
                          .owner = nullptr};
    stepped.Step({lane, test::kSelf, reply}, now, effects);
  }

  WorkerCore stepped;
  std::uint64_t next_request = 1;
};

TEST_CASE_METHOD(SteppedFixture, "pulls are counted by the step of the lane that is furthest back",
                 "[worker][worker_core]") {
  PullAnswered(0, 5, 5);
  PullAnswered(0, 2, 4);
  PullAnswered(0, 4, 2);
  PullAnswered(1, 4, 5);  // Used in step 6.
  PullAnswered(0, 9, 8);  // Never less than none.
  PullAnswered(100, 5, 5);

  WorkerStatistics want;
  want.pulls_by_staleness[0] = 2;
  want.pulls_by_staleness[2] = 1;
  want.pulls_by_staleness[3] = 2;
  want.pulls_by_staleness[31] = 1;
  CHECK(stepped.statistics() == want);
}

TEST_CASE_METHOD(SteppedFixture, "a pull that failed or is not for training is not counted",
                 "[worker][worker_core]") {
  PullAnswered(std::nullopt, 5, 5);
  PullAnswered(0, 5, 5, absl::NotFoundError("table 4"));

  CHECK(stepped.statistics() == WorkerStatistics{});
}

TEST_CASE_METHOD(SteppedFixture, "rows that a pull has already count as old as they are",
                 "[worker][worker_core]") {
  const auto submit = [&](std::vector<WorkerCore::Outgoing> requests,
                          std::optional<std::uint64_t> applied) {
    effects.Clear();
    stepped.Submit({.kind = "pull",
                    .deadline = now + absl::Seconds(60),
                    .sink = sink,
                    .steps_ahead = 1,
                    .applied = applied},
                   requests, now, effects);
  };
  submit({}, 3);  // All of them: nobody is asked.
  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status.ok());
  submit({}, std::nullopt);  // A pull of no row.
  CHECK(effects.completions.size() == 1);
  for (const std::uint64_t applied : {2U, 5U}) {
    submit({{test::kLaneA, Pull(rows, sink)}}, applied);
    effects.Clear();
    Answer(test::kLaneA, next_request++, 4, absl::OkStatus());
    REQUIRE(effects.completions.size() == 1);
    CHECK(effects.completions[0].applied == 4);  // Of the rows that came.
  }

  WorkerStatistics want;
  want.pulls_by_staleness[3] = 1;
  want.pulls_by_staleness[4] = 1;
  want.pulls_by_staleness[2] = 1;
  CHECK(stepped.statistics() == want);
}

TEST_CASE("in asynchronous mode nobody knows how stale rows are", "[worker][worker_core]") {
  SteppedFixture fixture(StepMode::kAsynchronous, 0);

  fixture.PullAnswered(0, 5, 4);

  CHECK(fixture.stepped.statistics() == WorkerStatistics{});
}

TEST_CASE("a pull past its deadline says what its mode makes it wait for",
          "[worker][worker_core]") {
  struct Case {
    StepMode mode;
    std::uint32_t staleness;
    const char* says;
  };
  const Case wanted = GENERATE(values<Case>({
      {StepMode::kSynchronous, 0,
       "before the deadline; in synchronous mode a pull waits for every worker's step before its "
       "own, 5"},
      {StepMode::kBoundedStaleness, 0,
       "before the deadline; in bounded mode a pull waits for every worker to come within 0 steps "
       "of its own, 5"},
      {StepMode::kBoundedStaleness, 1, "to come within 1 step of its own, 5"},
      {StepMode::kBoundedStaleness, 4, "to come within 4 steps of its own, 5"},
  }));
  SteppedFixture fixture(wanted.mode, wanted.staleness);
  std::vector<WorkerCore::Outgoing> requests = {
      {test::kLaneA, fixture.Pull(fixture.rows, fixture.sink)}};
  fixture.stepped.Submit({.kind = "pull",
                          .keys = 17,
                          .deadline = fixture.now + absl::Seconds(1),
                          .sink = fixture.sink},
                         requests, fixture.now, fixture.effects);
  fixture.effects.Clear();

  fixture.stepped.Tick(fixture.now + absl::Seconds(1), fixture.effects);

  REQUIRE(fixture.effects.completions.size() == 1);
  const std::string message(fixture.effects.completions[0].status.message());
  INFO(message);
  CHECK(message.ends_with(wanted.says));
}

}  // namespace
}  // namespace longtail
