// What the coordinator does about a rollback.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/coordinator_bench.h"

namespace longtail::server {
namespace {

using Bench = test::CoordinatorBench;

constexpr NodeId kAsker = Bench::kAsker;

absl::Status RollBackTo(Bench& bench, const std::string& checkpoint, std::uint64_t id,
                        std::uint64_t step = 40) {
  return bench.Ask<Acknowledgement>(kAsker, RollBack{9, checkpoint, step, id}).status;
}

TEST_CASE("a rollback is the cluster's next epoch, without workers",
          "[server][coordinator][rollback]") {
  Bench bench({.servers = 2, .partitions = 8, .workers = 2});
  CHECK(absl::IsUnavailable(RollBackTo(bench, "good", 5)));  // Nobody is there yet.
  bench.Form(2);
  bench.now += absl::Seconds(100);
  const auto before = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 3});
  REQUIRE(before.status.ok());
  const ClusterMap was = bench.core->state().map;
  CHECK(absl::IsInvalidArgument(RollBackTo(bench, "", 5)));
  CHECK(bench.core->state().map == was);

  REQUIRE(RollBackTo(bench, "good", 5).ok());
  const ClusterMap& map = bench.core->state().map;
  CHECK(map.epoch == was.epoch + 1);
  CHECK(map.version == was.version + 1);
  CHECK(map.lane_epochs == std::vector<std::uint64_t>{2, 2});
  CHECK(map.rolled_back.checkpoint == "good");
  CHECK(map.rolled_back.step == 40);
  CHECK(map.rolled_back.at_us == 100'000'000);
  CHECK(bench.core->state().workers.empty());
  // The worker hears that it has no place, and who comes next is told from it by its session.
  CHECK(absl::IsNotFound(
      bench.Ask<MapReply>(kAsker, Heartbeat{.request = 2, .session = before.session, .server = {}})
          .status));
  const auto next = bench.Ask<WorkerPlace>(kAsker, JoinWorker{3, "w", 4});
  CHECK(next.rank == before.rank);
  CHECK(before.session < map.rolled_back.first_session);
  CHECK(next.session >= map.rolled_back.first_session);

  // Asked again it is done; asked by another it is done once more.
  const ClusterMap is = map;
  REQUIRE(RollBackTo(bench, "good", 5).ok());
  CHECK(bench.core->state().map == is);
  REQUIRE(RollBackTo(bench, "good", 6).ok());
  CHECK(bench.core->state().map.epoch == is.epoch + 1);
}

TEST_CASE("a rollback that cannot be written has not happened", "[server][coordinator][rollback]") {
  Bench bench({.servers = 1});
  bench.Form(1);
  const auto worker = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 3});
  const CoordinatorState was = bench.core->state();
  bench.store_works = false;
  const absl::Status refused = RollBackTo(bench, "good", 5);
  CHECK(refused.message().find("disk full") != std::string::npos);
  CHECK(bench.core->state() == was);
  bench.store_works = true;
  CHECK(
      bench.Ask<MapReply>(kAsker, Heartbeat{.request = 2, .session = worker.session, .server = {}})
          .status.ok());
  REQUIRE(RollBackTo(bench, "good", 5).ok());
  CHECK(bench.core->state().map.epoch == 2);
}

TEST_CASE("a table that is being made comes before a rollback", "[server][coordinator][rollback]") {
  Bench bench({.servers = 1});
  bench.Form(1);
  const auto told = bench.Say(kAsker, DefineTable{4, {.name = "t", .dim = 1}});
  CHECK(absl::IsUnavailable(RollBackTo(bench, "good", 5)));
  bench.AcknowledgeAll(told);
  REQUIRE(RollBackTo(bench, "good", 5).ok());
  CHECK(bench.core->state().map.tables.size() == 1);
}

TEST_CASE("who waits for a worker to leave need not wait behind a rollback",
          "[server][coordinator][rollback]") {
  Bench bench({.servers = 1});
  bench.Form(1);
  const auto worker = bench.Ask<WorkerPlace>(kAsker, JoinWorker{1, "w", 3});
  constexpr NodeId kLeaver{0x80000007};
  bench.Say(kLeaver, LeaveWorker{6, worker.session});
  bool is_told = false;
  for (const Envelope& sent : bench.Say(kAsker, RollBack{9, "good", 40, 5})) {
    const auto* const ack = std::get_if<Acknowledgement>(&sent.body);
    is_told |= sent.target == kLeaver && ack != nullptr && ack->request == 6 && ack->status.ok();
  }
  CHECK(is_told);
}

}  // namespace
}  // namespace longtail::server
