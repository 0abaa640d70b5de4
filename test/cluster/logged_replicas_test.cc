// Servers with replicas and logs are killed with -9, some or all at once, and lanes move between
// them: what was acknowledged is there, in every replica.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::CountedPushes;
using test::KeysBelow;
using test::Must;
using test::ProgramCluster;

void KillAll(ProgramCluster& programs) {
  for (const auto& server : programs.servers) server->Send(SIGKILL);
  for (const auto& server : programs.servers) server->Kill();
}

// In any order: who comes first must not wait for the others.
void StartAll(ProgramCluster& programs, Rng& gen) {
  const auto first = static_cast<std::uint32_t>(gen.Below(programs.servers.size()));
  for (std::uint32_t i = 0; i < programs.servers.size(); ++i) {
    programs.StartServer((first + i) % static_cast<std::uint32_t>(programs.servers.size()));
  }
}

TEST_CASE("servers with replicas and logs are killed, all at once, too: totals are exact",
          "[cluster][process][replica]") {
  const char* const text = std::getenv("LONGTAIL_KILLS");
  const int kills = text == nullptr ? 5 : std::atoi(text);
  const bool writes_bases = GENERATE(false, true);
  ProgramCluster programs(
      {.servers = 3, .workers = 2, .keeps_log = true, .writes_bases = writes_bases, .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  Rng gen(7);
  int of_all = 0;
  for (int kill = 0; kill < kills; ++kill) {
    CHECK(pushes.AwaitMore());
    const auto victim = static_cast<std::uint32_t>(gen.Below(3));
    switch (kill == 0 ? 0 : gen.Below(4)) {
      case 0:  // Nobody has it in memory any more.
        ++of_all;
        KillAll(programs);
        StartAll(programs, gen);
        break;
      case 1:  // It stands still, is replaced, and wakes as one who leads.
        programs.servers[victim]->Send(SIGSTOP);
        absl::SleepFor(absl::Milliseconds(gen.Below(4000)));
        programs.servers[victim]->Send(SIGCONT);
        break;
      default:
        programs.servers[victim]->Kill();
        absl::SleepFor(absl::Milliseconds(gen.Below(3000)));
        programs.StartServer(victim);
    }
    // Now and then the next one comes before all are whole again.
    if (gen.Below(2) == 0) REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  // So do those have them that follow: each of them leads once.
  for (std::uint32_t i = 0; i < 3; ++i) {
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
    programs.servers[i]->Kill();
    CHECK(pushes.AreExact());
    programs.StartServer(i);
  }
  WARN(kills << " kills and stops, " << of_all << " of all servers at once, "
             << pushes.acknowledged() << " pushes acknowledged, each counted once");
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
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
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
  programs.servers.erase(programs.servers.begin() + 1);
  for (const auto& server : programs.servers) server->Send(SIGKILL);
  for (const auto& server : programs.servers) server->Kill();
}

}  // namespace
}  // namespace longtail
