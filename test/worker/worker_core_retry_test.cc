// Requests that are not answered: sent again, in order, until they are; deadlines; giving up.
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "worker/core_fixture.h"

namespace longtail {
namespace {

using Fixture = test::CoreFixture;

TEST_CASE_METHOD(Fixture, "a request is sent again after the time named, and not before",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}});
  const auto sent = SentPush(0);
  REQUIRE(effects.wake_at.has_value());
  CHECK(*effects.wake_at == now + absl::Seconds(5));

  TickAfter(absl::Seconds(5) - absl::Nanoseconds(1));
  CHECK(effects.sends.empty());
  CHECK(*effects.wake_at == now + absl::Nanoseconds(1));
  TickAfter(absl::Nanoseconds(1));

  REQUIRE(effects.sends.size() == 1);
  CHECK(SentPush(0) == sent);
  CHECK(effects.sends[0].target == test::kLaneA);
  CHECK(core.resent() == 1);
  TickAfter(absl::Seconds(5));
  CHECK(effects.sends.size() == 1);
  CHECK(core.resent() == 2);
}

TEST_CASE_METHOD(Fixture, "a map with a new process has all that waits sent again at once",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}});
  const auto first = SentPush(0);
  Submit("push", {{test::kLaneB, Push({4})}});
  Submit("push", {{test::kLaneA, Push({1})}});
  Acknowledge(test::kLaneA, 3);
  now += absl::Seconds(1);

  Deliver(kCoordinatorNode, MapReply{.request = 0, .status = {}, .waits_for = {}, .map = nullptr});

  REQUIRE(effects.sends.size() == 2);
  CHECK(SentPush(0) == first);
  CHECK(effects.sends[0].target == test::kLaneA);
  CHECK(effects.sends[1].target == test::kLaneB);
  CHECK(core.resent() == 2);
  TickAfter(absl::Seconds(5) - absl::Nanoseconds(1));
  CHECK(effects.sends.empty());
  TickAfter(absl::Nanoseconds(1));
  CHECK(effects.sends.size() == 2);
}

TEST_CASE_METHOD(Fixture, "requests are sent again in the order of their sequences",
                 "[worker][worker_core]") {
  for (int i = 0; i < 5; ++i) Submit("push", {{test::kLaneA, Push({0})}});
  Acknowledge(test::kLaneA, 3);

  TickAfter(absl::Seconds(5));

  REQUIRE(effects.sends.size() == 4);
  CHECK(SentPush(0)->sections[0].sequence == 0);
  CHECK(SentPush(1)->sections[0].sequence == 1);
  CHECK(SentPush(2)->sections[0].sequence == 3);
  CHECK(SentPush(3)->sections[0].sequence == 4);
}

TEST_CASE_METHOD(Fixture, "an answered request is not sent again", "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}});
  Acknowledge(test::kLaneA, 1);

  TickAfter(absl::Seconds(30));

  CHECK(effects.sends.empty());
  CHECK_FALSE(effects.wake_at.has_value());
}

TEST_CASE_METHOD(Fixture, "a request that a lane could not take now is sent again soon",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}});
  Acknowledge(test::kLaneA, 1, absl::UnavailableError("sequence 1: want 0 first"));
  CHECK(effects.completions.empty());
  REQUIRE(effects.wake_at.has_value());
  CHECK(*effects.wake_at == now + kRetryRefusedAfter);

  TickAfter(kRetryRefusedAfter);

  CHECK(effects.sends.size() == 1);
  Acknowledge(test::kLaneA, 1);
  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].status.ok());
}

TEST_CASE_METHOD(Fixture, "a call past its deadline says what it waited for",
                 "[worker][worker_core]") {
  const std::uint64_t call =
      Submit("push", {{test::kLaneA, Push({0})}, {test::kLaneB, Push({1})}}, absl::Seconds(2));
  CHECK(*effects.wake_at == now + absl::Seconds(2));
  Acknowledge(test::kLaneA, 1);

  TickAfter(absl::Seconds(2));

  REQUIRE(effects.completions.size() == 1);
  CHECK(effects.completions[0].call == call);
  CHECK(absl::IsDeadlineExceeded(effects.completions[0].status));
  const std::string message(effects.completions[0].status.message());
  CHECK(message.find("push of 17 keys: no answer from lane 8 (1 unanswered)") != std::string::npos);
  CHECK(message.find("synchronous") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "each call ends at its own deadline", "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(3));
  const std::uint64_t early = Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(1));
  const std::uint64_t same = Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(1));

  TickAfter(absl::Seconds(1));

  REQUIRE(effects.completions.size() == 2);
  CHECK(effects.completions[0].call == early);
  CHECK(effects.completions[1].call == same);
  CHECK(*effects.wake_at == now + absl::Seconds(2));
}

TEST_CASE_METHOD(Fixture, "a push is delivered though its caller's deadline has passed",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(1));
  TickAfter(absl::Seconds(1));
  CHECK(effects.completions.size() == 1);
  CHECK(core.outstanding() == 1);

  TickAfter(absl::Seconds(4));

  CHECK(effects.sends.size() == 1);
  Acknowledge(test::kLaneA, 1);
  CHECK(effects.completions.empty());
  CHECK(core.outstanding() == 0);
}

TEST_CASE_METHOD(Fixture, "an abandoned push is delivered and completes nothing",
                 "[worker][worker_core]") {
  const std::uint64_t call = Submit("push", {{test::kLaneA, Push({0})}}, absl::Seconds(1));
  core.Abandon(call, now, effects);

  TickAfter(absl::Seconds(5));

  CHECK(effects.completions.empty());
  CHECK(effects.sends.size() == 1);
  Acknowledge(test::kLaneA, 1);
  CHECK(effects.completions.empty());
  CHECK(core.outstanding() == 0);
}

TEST_CASE_METHOD(Fixture, "late, repeated and foreign answers change nothing",
                 "[worker][worker_core]") {
  Submit("push", {{test::kLaneA, Push({0})}});
  Submit("push", {{test::kLaneA, Push({0})}});
  Acknowledge(test::kLaneA, 1);
  REQUIRE(effects.completions.size() == 1);

  Acknowledge(test::kLaneA, 1);  // Again.
  CHECK(effects.completions.empty());
  Acknowledge(test::kLaneB, 2);  // From a lane that was not asked.
  CHECK(effects.completions.empty());
  Acknowledge(test::kLaneA, 99);  // To a request that there is not.
  CHECK(effects.completions.empty());
  Deliver(test::kLaneA, OpenSession{2, test::kSession, 0});  // No answer at all.
  CHECK(effects.completions.empty());
  CHECK(effects.sends.empty());
  CHECK(core.outstanding() == 1);
}

}  // namespace
}  // namespace longtail
