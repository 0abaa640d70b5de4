// A cluster that goes back to a checkpoint, message by message: who takes its rows, who gets an
// image of them, and what counts meanwhile. (test/sim has it with crashes and lost messages,
// test/cluster with processes.)
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/epoch_gate.h"
#include "server/replica_bench.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

using Bench = test::ReplicaBench;
using Requests = std::vector<std::uint64_t>;

constexpr SessionId kNewSession{8};

bool Says(const absl::Status& status, const std::string& words) {
  INFO(status.ToString());
  CHECK(status.message().find(words) != std::string::npos);
  return status.message().find(words) != std::string::npos;
}

std::shared_ptr<const PullRequest> Pull(std::uint64_t request, std::uint64_t epoch) {
  const auto pull = test::MakePull(
      request, 0,
      {{PartitionId{0}, TableId{0}, 1, test::KeysOf(PartitionId{0}, Bench::kPartitions, 1)}});
  pull->epoch = epoch;
  return pull;
}

TEST_CASE("a leader takes a checkpoint's rows, and its followers an image of them",
          "[server][rollback]") {
  Bench bench(2);
  bench.Push(0, 0, 11);
  bench.Settle();
  REQUIRE(bench.Weight(1) == 4);
  bench.answers.clear();

  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.TellAll();
  bench.Settle();
  REQUIRE(bench.replicas[0]->wanted());
  CHECK(bench.replicas[0]->wanted()->map->rolled_back.checkpoint == "good");
  CHECK_FALSE(bench.replicas[1]->wanted());

  // Until it has them, nothing changes, and who reads has what there was.
  bench.Push(0, 1, 12);
  REQUIRE(bench.answers.size() == 1);
  CHECK(absl::IsUnavailable(bench.answers[0].status));
  CHECK(Says(bench.answers[0].status, "takes the rows of checkpoint 'good' first"));
  bench.Send(0, Pull(13, 0));
  CHECK(bench.pulled == std::vector<float>{4});
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(1) == 4);

  bench.Load(0, 40);
  CHECK(bench.Weight(0) == 40);
  CHECK_FALSE(bench.replicas[0]->wanted());
  bench.Pass(absl::Seconds(1));
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(1) == 40);
  CHECK(bench.replicas[1]->gauges().images() == 1);

  // What was before is told so, and what begins now counts.
  bench.answers.clear();
  bench.Push(0, 1, 12);
  CHECK(absl::IsAborted(bench.answers.back().status));
  CHECK(Says(bench.answers.back().status, "rolled back to checkpoint 'good', step 0"));
  bench.Send(0, OpenSession{14, Bench::kSession, 0, 0});
  CHECK(absl::IsAborted(bench.answers.back().status));
  bench.answers.clear();
  bench.Send(0, OpenSession{15, kNewSession, 0, 0});
  bench.Push(0, 0, 16, kNewSession);
  CHECK(bench.Acknowledged().empty());
  bench.Settle();
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Acknowledged() == Requests{15, 16});
  CHECK(bench.Weight(0) == 41);
  CHECK(bench.Weight(1) == 41);
}

TEST_CASE("who leads before it has the image takes the checkpoint's rows itself",
          "[server][rollback]") {
  const bool leader_had_them = GENERATE(false, true);
  Bench bench(3);
  bench.Push(0, 0, 11);
  bench.Settle();
  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.is_cut[1] = true;
  bench.is_cut[2] = true;
  bench.TellAll();
  if (leader_had_them) bench.Load(0, 40);
  bench.is_cut = {true, false, false};
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.Tell(1);
  bench.Tell(2);
  REQUIRE(bench.replicas[1]->wanted());
  bench.Load(1, 40);
  bench.Pass(absl::Seconds(1));
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(1) == 40);
  CHECK(bench.Weight(2) == 40);
  // The one before comes back, with whatever it has, and follows.
  bench.is_cut[0] = false;
  bench.SetRole(0, ReplicaRole::kJoining);
  bench.NextMap();
  bench.TellAll();
  CHECK_FALSE(bench.replicas[0]->wanted());
  bench.Pass(absl::Seconds(1));
  bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(0) == 40);
}

TEST_CASE("a process that has nothing leads no earlier than it has the checkpoint's rows",
          "[server][rollback]") {
  Bench bench(2);
  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.Restart(1);
  bench.TellAll();  // As a follower, which logs may let it be though it holds nothing.
  bench.SetRole(0, ReplicaRole::kNone);
  bench.SetRole(1, ReplicaRole::kLeader);
  bench.NextEpoch();
  bench.NextMap();
  bench.TellAll();
  REQUIRE(bench.replicas[1]->wanted());
  bench.Load(1, 40);
  CHECK(bench.Weight(1) == 40);
}

TEST_CASE("rows that cannot be read are wanted anew", "[server][rollback]") {
  Bench bench(1);
  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.TellAll();
  const std::uint64_t first = bench.replicas[0]->wanted()->ticket;
  bench.Load(0, 40, absl::DataLossError("chunk 7 is damaged"));
  REQUIRE(bench.replicas[0]->wanted());
  CHECK(bench.replicas[0]->wanted()->ticket != first);
  CHECK(absl::IsAborted(bench.replicas[0]->TakeRows(first, {})));
  CHECK(bench.Weight(0) == 3);
  bench.answers.clear();
  bench.Send(0, OpenSession{14, kNewSession, 0, 0});
  CHECK(absl::IsUnavailable(bench.answers.back().status));
  CHECK(Says(bench.answers.back().status, "chunk 7 is damaged"));
  bench.Load(0, 41);
  CHECK(bench.Weight(0) == 41);
}

TEST_CASE("another rollback takes the place of one that is under way", "[server][rollback]") {
  Bench bench(1);
  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.TellAll();
  const std::uint64_t first = bench.replicas[0]->wanted()->ticket;
  bench.RollBack(SessionId{9}, {Bench::Spec()});
  bench.TellAll();
  CHECK(bench.replicas[0]->wanted()->ticket != first);
  bench.Load(0, 41);
  bench.answers.clear();
  bench.Send(0, OpenSession{14, kNewSession, 0, 0});
  CHECK(absl::IsAborted(bench.answers.back().status));
}

TEST_CASE("a lane makes the tables that its map has and the checkpoint had not",
          "[server][rollback]") {
  Bench bench(2);
  TableSpec other = Bench::Spec();
  other.name = "other";
  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.TellAll();
  bench.Load(0, 40);
  bench.AddTable(other);
  bench.TellAll();
  CHECK(bench.replicas[0]->lane()->table_count() == 2);
  bench.Pass(absl::Seconds(1));
  bench.Pass(absl::Seconds(1));
  CHECK(bench.replicas[1]->lane()->table_count() == 2);
  CHECK(bench.replicas[1]->lane()->log_end() == bench.replicas[0]->lane()->log_end());
}

TEST_CASE("a server that only reads shows another epoch once all of its lanes have it",
          "[server][rollback]") {
  const auto gate = std::make_shared<EpochGate>(2);
  Bench bench(2, 1 << 20, absl::InfiniteDuration(), gate);
  bench.SetRole(1, ReplicaRole::kReader);
  bench.NextMap();
  bench.TellAll();
  gate->Pass(1, kFirstEpoch);
  bench.Settle();
  bench.Push(0, 0, 11);
  bench.Settle();
  bench.Pass(absl::Seconds(1));
  REQUIRE(bench.Weight(1) == 4);

  bench.RollBack(kNewSession, {Bench::Spec()});
  bench.TellAll();
  bench.Load(0, 40);
  for (int i = 0; i < 10; ++i) bench.Pass(absl::Seconds(1));
  CHECK(bench.Weight(0) == 40);
  CHECK(bench.Weight(1) == 4);  // The other lane of its server has not got there.
  bench.Send(1, Pull(13, 0));
  CHECK(bench.pulled == std::vector<float>{4});
  gate->Pass(1, 2);
  bench.Pass(absl::Milliseconds(2));
  CHECK(bench.Weight(1) == 40);
  bench.Send(1, Pull(14, 0));
  CHECK(bench.pulled == std::vector<float>{40});
}

}  // namespace
}  // namespace longtail::server
