// Lanes move between real servers while workers train: nothing is lost, doubled or changed.
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cluster/program_cluster.h"
#include "protocol/lane_leader.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::Must;
using test::Program;
using test::ProgramCluster;

PlaceLanes Drain(const std::string& server) {
  return {.request = 0, .placing = Placing::kDrain, .lane = {}, .server = server};
}
const PlaceLanes kRebalance = {
    .request = 0, .placing = Placing::kRebalance, .lane = {}, .server = {}};

std::uint32_t Leads(const std::string& address, const std::string& server) {
  const auto status = Must(ReadClusterStatus(address, absl::Seconds(5)));
  const auto member = std::ranges::find(status.members, server, &Member::name);
  return member == status.members.end() ? 0 : member->lanes;
}

constexpr int kRounds = 25;  // Of 20 steps: moves take some seconds.

// Hashes of the tables that kTrainingWorkers workers leave.
template <typename Meanwhile>
std::vector<std::uint64_t> LongTrainingHashes(Cluster& cluster, Meanwhile meanwhile) {
  const std::vector<TableId> tables = {
      Must(cluster.CreateTable(
          test::SpecOf("a", test::kTrainingDim, AdagradSpec{.learning_rate = 0.3F}))),
      Must(cluster.CreateTable(
          test::SpecOf("b", test::kTrainingDim, AdamSpec{.learning_rate = 0.05F}))),
      Must(cluster.CreateTable(test::TailSpecOf("c", test::kTrainingDim)))};
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t rank = 0; rank < test::kTrainingWorkers; ++rank) {
    workers.push_back(
        Must(cluster.Connect({.retry_after = std::chrono::milliseconds(300), .rank = rank})));
  }
  std::vector<absl::Status> outcomes(workers.size());
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < workers.size(); ++w) {
    threads.emplace_back([&, w] {
      for (int round = 0; round < kRounds; ++round) {
        outcomes[w].Update(test::Train(*workers[w], tables));
      }
    });
  }
  meanwhile(*workers[0]);
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& outcome : outcomes) Must(outcome);
  // All steps are applied once a pull of the last is answered.
  for (const auto& worker : workers) test::Rows(*worker, tables[0], {1}, test::kTrainingDim);
  std::vector<std::uint64_t> hashes;
  for (const TableId table : tables) hashes.push_back(Must(cluster.Statistics(table)).hash);
  return hashes;
}

TEST_CASE("a synchronous training on 1, then 4, then 2 servers has the bits of one that stays",
          "[cluster][process][moves][step]") {
  const auto embedded = Must(
      Cluster::Embedded({.step_mode = StepMode::kSynchronous, .workers = test::kTrainingWorkers}));
  const std::vector<std::uint64_t> want = LongTrainingHashes(*embedded, [](const Worker&) {});
  ProgramCluster programs(
      {.servers = 1, .workers = test::kTrainingWorkers, .step_mode = "synchronous", .lanes = 8});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  std::vector<std::uint64_t> at;  // Steps, when lanes had moved.
  const std::vector<std::uint64_t> got = LongTrainingHashes(*cluster, [&](const Worker& worker) {
    for (int i = 0; i < 3; ++i) programs.AddServer();
    at.push_back(worker.step());
    programs.Place(kRebalance, absl::Seconds(60));
    at.push_back(worker.step());
    for (int i = 0; i < 4; ++i) {
      CHECK(Leads(programs.address, "server-" + std::to_string(i)) == 2);
    }
    programs.Place(Drain("server-0"), absl::Seconds(60));
    programs.Place(Drain("server-2"), absl::Seconds(60));
    programs.servers[0].reset();
    programs.servers[2].reset();
    at.push_back(worker.step());
  });
  CHECK(Leads(programs.address, "server-1") == 4);
  CHECK(got == want);
  CHECK(at[0] < at[1]);
  CHECK(at[1] < at[2]);
  WARN("lanes moved to 4 servers in steps " << at[0] << " to " << at[1] << ", to 2 until " << at[2]
                                            << " of " << 20 * kRounds);
}

TEST_CASE("lanes move under a pushing worker, with replicas and without: totals are exact",
          "[cluster][process][moves]") {
  const std::uint32_t replicas = GENERATE(1U, 2U);
  ProgramCluster programs({.servers = 2, .workers = 2, .replicas = replicas, .lanes = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  std::vector<Key> keys;
  for (Key key = 0; key < 500; ++key) keys.push_back(key);
  const std::vector<float> gradients(keys.size(), -1);
  std::atomic<bool> stop = false;
  std::atomic<int> pushes = 0;
  absl::Status outcome;
  absl::Duration longest;
  std::thread pushing([&] {
    while (!stop && outcome.ok()) {
      const absl::Time begin = absl::Now();
      outcome = worker->Push(table, keys, gradients);
      longest = std::max(longest, absl::Now() - begin);
      if (outcome.ok()) ++pushes;
    }
  });
  // Another keeps rows for a step: they have all that was pushed before the step ahead of its own.
  const auto keeping = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300),
                                              .row_cache_bytes = std::size_t{1} << 20,
                                              .row_cache_steps = 1}));
  absl::Status pulled;
  int too_old = 0;
  std::thread pulling([&] {
    std::vector<float> rows(keys.size());
    for (int ahead = 0, now = 0; !stop && pulled.ok();) {
      ahead = now;
      now = pushes;
      pulled = keeping->Pull(table, keys, rows);
      for (const float weight : rows) too_old += weight < static_cast<float>(3 + ahead) ? 1 : 0;
      pulled.Update(keeping->EndStep());
    }
  });
  programs.AddServer();
  programs.AddServer();
  programs.Place(kRebalance, absl::Seconds(60));
  programs.Place(Drain("server-0"), absl::Seconds(60));
  programs.Place({.request = 0, .placing = Placing::kMove, .lane = NodeId{3}, .server = "server-2"},
                 absl::Seconds(60));
  stop = true;
  pushing.join();
  pulling.join();
  Must(outcome);
  Must(pulled);
  CHECK(too_old == 0);
  CHECK(keeping->statistics().cache_rows_served > 1000);

  CHECK(Leads(programs.address, "server-0") == 0);
  CHECK(test::Rows(*worker, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + pushes)));
  WARN(pushes << " pushes, the longest took " << absl::FormatDuration(longest));
  const absl::Status refused = AskToPlace(programs.address, Drain("server-9"), absl::Seconds(5));
  CHECK(std::string(refused.message()) == "there is no server 'server-9'");
}

TEST_CASE("rebalancing spreads lanes that much is asked of", "[cluster][process][moves]") {
  const std::uint32_t replicas = GENERATE(1U, 2U);
  ProgramCluster programs({.servers = 2, .workers = 1, .replicas = replicas, .lanes = 3});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const ClusterMap map = *Must(ReadClusterStatus(programs.address, absl::Seconds(5))).map;
  // Keys of two of the lanes that server-0 leads; it is to keep one of these.
  std::vector<NodeId> hot;
  for (const LaneEntry& entry : map.servers[0].lanes) {
    if (entry.role == ReplicaRole::kLeader && hot.size() < 2) hot.push_back(entry.node);
  }
  REQUIRE(hot.size() == 2);
  const auto is_hot = [&](Key key) {
    const auto partitions = static_cast<std::uint32_t>(map.lane_of.size());
    const auto partition = static_cast<std::size_t>(PartitionOf(key, partitions));
    return std::ranges::find(hot, map.lanes[map.lane_of[partition]]) != hot.end();
  };
  std::vector<Key> keys;
  for (Key key = 0; keys.size() < 300; ++key) {
    if (is_hot(key)) keys.push_back(key);
  }
  if (replicas == 1) programs.AddServer();  // With places: elsewhere there are none.
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  std::int64_t pushes = 0;
  const auto pushes_for = [&](absl::Duration time) {
    const absl::Time until = absl::Now() + time;
    for (; absl::Now() < until; ++pushes) {
      Must(worker->Push(table, keys, std::vector<float>(keys.size(), -1)));
    }
  };
  const auto leaders = [&] {
    const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
    std::vector<std::string> names;
    for (const NodeId lane : hot) names.push_back(FindLeader(*status.map, lane)->server->name);
    return names;
  };
  pushes_for(absl::Seconds(5));  // Until it is known what is asked for.
  const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
  for (const LaneLoad& load : status.lanes) {
    const bool is_asked = std::ranges::find(hot, load.lane) != hot.end();
    CHECK((load.rows_pushed > 0) == is_asked);
  }
  CHECK(leaders()[0] == leaders()[1]);
  programs.Place(kRebalance, absl::Seconds(20));
  CHECK(leaders()[0] != leaders()[1]);
  pushes_for(absl::Seconds(1));
  CHECK(test::Rows(*worker, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + pushes)));
}

}  // namespace
}  // namespace longtail
