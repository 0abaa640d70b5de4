// What nodes say of themselves, those that are there and those that are not.
#include "cluster/node_answers.h"

#include "absl/time/clock.h"
#include "base/version.h"
#include "cluster/cluster_status.h"
#include "cluster/process_fixture.h"
#include "support/plain_listener.h"

namespace longtail {
namespace {

using test::Must;

TEST_CASE("every node is asked, whoever else is silent", "[cluster][node_answers]") {
  const auto processes = test::StartProcesses({.cluster = {.servers = 2, .partitions = 4}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const test::PlainListener silent("");
  const auto status = Must(ReadClusterStatus(processes.coordinator->address(), absl::Seconds(5)));
  const std::vector<std::string> addresses = {
      processes.coordinator->address(), silent.address(), "nonsense",
      status.map->servers[0].lanes[0].addresses[0], status.map->servers[1].lanes[0].addresses[0]};
  const absl::Time before = absl::Now();
  const std::vector<NodeAnswer> answers = Must(AskNodes(addresses, absl::Seconds(1)));
  CHECK(absl::Now() - before < absl::Seconds(5));
  REQUIRE(answers.size() == 5);
  const std::vector<std::string> names = {"coordinator", "", "", "server-0", "server-1"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(i, answers[i].about.status().ToString());
    REQUIRE(answers[i].about.ok() == !names[i].empty());
    if (names[i].empty()) continue;
    CHECK(answers[i].about->name == names[i]);
    CHECK(answers[i].about->version == ProgramVersion());
    CHECK(answers[i].took < absl::Seconds(1));
    // One clock: it is off by no more than the way takes.
    CHECK(absl::AbsDuration(answers[i].clock_ahead) <= answers[i].took / 2 + absl::Microseconds(2));
  }
  CHECK(absl::IsDeadlineExceeded(answers[1].about.status()));
  CHECK(absl::IsInvalidArgument(answers[2].about.status()));
  CHECK(Must(AskNodes({}, absl::Seconds(1))).empty());
}

}  // namespace
}  // namespace longtail
