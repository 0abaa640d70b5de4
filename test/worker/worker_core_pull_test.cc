// Pulls: rows that are placed, sinks that are closed, calls that are forgotten.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
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
  CHECK(message.find("in synchronous mode a pull waits") != std::string::npos);
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

  core.Abandon(call);

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

  core.Abandon(call);

  CHECK(core.outstanding() == 1);
  Reply(2, {5, 6});
  CHECK(other_rows == std::vector<float>{5, 6});
}

TEST_CASE_METHOD(Fixture, "a worker that leaves gives up its pulls and keeps its pushes",
                 "[worker][worker_core]") {
  SubmitPull();
  Submit("push", {{test::kLaneA, Push({0})}});

  core.AbandonPulls();

  CHECK(core.outstanding() == 1);
  CHECK_FALSE(sink->Enter());
  Reply(1, {3, 4});
  CHECK(rows == std::vector<float>{-1, -2});
  Acknowledge(test::kLaneA, 2);
  CHECK(effects.completions.size() == 1);
}

}  // namespace
}  // namespace longtail
