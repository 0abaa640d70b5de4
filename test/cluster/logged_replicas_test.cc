// Servers with replicas and logs are killed with -9, some or all at once, and lanes move between
// them: what was acknowledged is there, in every replica.
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "cluster/counted_counts.h"
#include "cluster/killed_logs.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::KillAll;
using test::Must;
using test::ProgramCluster;
using test::StartAll;

TEST_CASE("servers with replicas and logs are killed, all at once, too: totals are exact",
          "[cluster][process][replica]") {
  test::KillReplicasWithLogs({.servers = 3,
                              .workers = 2,
                              .keeps_log = true,
                              .writes_bases = GENERATE(false, true),
                              .replicas = 2},
                             test::Kills(5));
}

TEST_CASE("servers with replicas and logs are killed, all at once, too: counts are exact",
          "[cluster][process][replica][counts]") {
  test::KillReplicasWithLogs<test::CountedCounts>(
      {.servers = 3, .workers = 2, .keeps_log = true, .writes_bases = true, .replicas = 2},
      test::Kills(5));
}

TEST_CASE("lanes with counts move while they are pushed to, and readers have them",
          "[cluster][process][moves][counts]") {
  ProgramCluster programs({.servers = 2, .workers = 2, .lanes = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::CountedCounts::Spec()));
  test::CountedCounts pushes(*cluster, table);
  CHECK(pushes.AwaitMore());
  programs.AddServer();
  programs.Place({.request = 0, .placing = Placing::kDrain, .lane = {}, .server = "server-0"},
                 absl::Seconds(60));
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  const auto reader = Must(cluster->ConnectReader());
  const std::vector<Key> keys = KeysBelow(50);
  CHECK(test::PullCounts(*reader, table, keys).size() == keys.size());
}

TEST_CASE("a synchronous training all of whose servers are killed has the bits of one in peace",
          "[cluster][process][replica][step]") {
  const std::vector<std::uint64_t> want = test::EmbeddedTrainingHashes(1, 64);
  ProgramCluster programs({.servers = 2,
                           .workers = test::kTrainingWorkers,
                           .step_mode = "synchronous",
                           .keeps_log = true,
                           .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  Rng gen(3);
  const std::vector<std::uint64_t> got = test::TrainingHashes(
      *cluster,
      [&](std::uint32_t rank) {
        return Must(
            cluster->Connect({.retry_after = std::chrono::milliseconds(300), .rank = rank}));
      },
      [&] {
        for (int i = 0; i < 2; ++i) {
          absl::SleepFor(absl::Milliseconds(30));
          KillAll(programs);
          StartAll(programs, gen);
        }
      });
  CHECK(got == want);
}

TEST_CASE("a server that lost its disk gets all of it anew, and one whose lanes left keeps no log",
          "[cluster][process][replica][moves]") {
  ProgramCluster programs({.servers = 2, .workers = 1, .keeps_log = true, .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  const std::vector<Key> keys = KeysBelow(300);
  const std::vector<float> gradients(keys.size(), -1);
  for (int i = 0; i < 10; ++i) Must(worker->Push(table, keys, gradients));
  const std::string log = programs.directory.path() + "/log/server-1";

  programs.servers[1]->Kill();
  std::filesystem::remove_all(log);
  Must(worker->Push(table, keys, gradients));
  programs.StartServer(1);
  REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
  Must(worker->Push(table, keys, gradients));
  // What it got is in its log: both end, and it alone comes back.
  KillAll(programs);
  programs.StartServer(1);
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 12));
  programs.StartServer(0);
  REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));

  // Its lanes go to a third server, with their logs.
  programs.AddServer();
  programs.Place({.request = 0, .placing = Placing::kDrain, .lane = {}, .server = "server-1"},
                 absl::Seconds(60));
  Must(worker->Push(table, keys, gradients));
  const auto left = [&] {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(log)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && name != "log" && name != "gone") ++files;
    }
    return files;
  };
  CHECK(test::Program::Await(absl::Seconds(20), [&] { return left() == 0; }));
  worker.reset();  // While there are servers that it can take its leave of.
  programs.servers.erase(programs.servers.begin() + 1);
  for (const auto& server : programs.servers) server->Send(SIGKILL);
  for (const auto& server : programs.servers) server->Kill();
}

}  // namespace
}  // namespace longtail
