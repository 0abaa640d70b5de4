#include "examples/ctr/thread_team.h"

#include <atomic>
#include <catch2/catch.hpp>
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

}  // namespace
}  // namespace longtail::examples
