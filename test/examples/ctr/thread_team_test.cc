#include "examples/ctr/thread_team.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace longtail::examples {
namespace {

TEST_CASE("every member of a team runs once a round and the caller waits for all",
          "[examples][ctr][thread_team]") {
  ThreadTeam team(GENERATE(1U, 2U, 4U));
  std::vector<int> runs(team.size(), 0);

  for (int round = 1; round <= 200; ++round) {
    const absl::Status status = team.Run([&](std::uint32_t member) {
      ++runs[member];
      return absl::OkStatus();
    });
    REQUIRE(status.ok());
    REQUIRE(runs == std::vector<int>(team.size(), round));
  }
}

TEST_CASE("a team gives the error of its lowest member that failed",
          "[examples][ctr][thread_team]") {
  ThreadTeam team(4);

  const absl::Status status = team.Run([](std::uint32_t member) {
    return member < 2 ? absl::OkStatus() : absl::InternalError(absl::StrCat("member ", member));
  });

  CHECK(status.message() == "member 2");
  CHECK(team.Run([](std::uint32_t) { return absl::OkStatus(); }).ok());
}

TEST_CASE("a task is taken by a member that waits, and by nobody while all are busy",
          "[examples][ctr][thread_team]") {
  ThreadTeam team(2);
  const std::uint32_t giver = GENERATE(0U, 1U);
  CAPTURE(giver);
  std::atomic<std::thread::id> done_by;
  TeamTask task([&] { done_by = std::this_thread::get_id(); });
  std::array<std::thread::id, 2> members;
  std::atomic<bool> asked = false;
  bool taken_by_busy = true;

  for (int round = 0; round < 50; ++round) {
    asked = false;
    const absl::Status status = team.Run([&](std::uint32_t member) {
      members[member] = std::this_thread::get_id();
      if (member != giver) {
        while (!asked) std::this_thread::yield();
        return absl::OkStatus();
      }
      taken_by_busy = team.Offer(task);
      asked = true;
      while (!team.Offer(task)) std::this_thread::yield();  // Until the other waits.
      while (done_by.load() == std::thread::id()) std::this_thread::yield();
      team.Finish(task);
      return absl::OkStatus();
    });

    REQUIRE(status.ok());
    REQUIRE_FALSE(taken_by_busy);
    REQUIRE(done_by.load() == members[1 - giver]);
    done_by = std::thread::id();
  }
}

TEST_CASE("a task that nobody has begun is done by whoever finishes it, once",
          "[examples][ctr][thread_team]") {
  ThreadTeam team(GENERATE(1U, 3U));
  std::atomic<int> runs = 0;
  TeamTask second([&] { runs += 10; });
  TeamTask first([&] {
    ++runs;
    team.Post(second);
  });

  for (int round = 1; round <= 200; ++round) {
    const absl::Status status = team.Run([&](std::uint32_t member) {
      if (member == 0) team.Post(first);
      return absl::OkStatus();
    });
    REQUIRE(status.ok());
    team.Finish(first);
    REQUIRE(team.Run([&](std::uint32_t) {
                  team.Finish(second);
                  return absl::OkStatus();
                })
                .ok());
    REQUIRE(runs == 11 * round);
  }
}

}  // namespace
}  // namespace longtail::examples
