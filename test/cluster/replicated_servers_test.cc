// Servers with replicas are killed with -9, and come back with nothing: others have what was
// acknowledged, lead on, and give it to who comes back.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
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
using test::Program;
using test::ProgramCluster;

TEST_CASE("a killed server's lanes go on, with every acknowledged push",
          "[cluster][process][replica]") {
  ProgramCluster programs({.servers = 3, .workers = 2, .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(500)}));
  const std::vector<Key> keys = KeysBelow(200);
  const std::vector<float> gradients(keys.size(), -1);
  for (int i = 0; i < 20; ++i) Must(worker->Push(table, keys, gradients));

  programs.servers[1]->Kill();
  const absl::Time killed = absl::Now();
  Must(worker->Push(table, keys, gradients));
  const absl::Duration away = absl::Now() - killed;

  WARN("first push after a kill: " << absl::FormatDuration(away));
  CHECK(away < absl::Seconds(10));  // (bench/failover_bench measures the three seconds.)
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 21));
  // It comes back empty, on other ports, and gets all of it.
  programs.StartServer(1);
  CHECK(programs.AwaitReplicas(absl::Seconds(30)));
  Must(worker->Push(table, keys, gradients));
  // What others are told of goes on, too; then the ones that never failed do.
  const TableId second = Must(cluster->CreateTable(test::ExactSpec("u", 2)));
  programs.servers[0]->Kill();
  Must(worker->Push(second, keys, std::vector<float>(2 * keys.size(), -2)));
  programs.StartServer(0);
  CHECK(programs.AwaitReplicas(absl::Seconds(30)));
  programs.servers[2]->Kill();
  CHECK(test::Rows(*worker, second, keys, 2) == std::vector<float>(2 * keys.size(), 5));
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 22));
}

TEST_CASE("servers with replicas are killed and stopped again and again: totals are exact",
          "[cluster][process][replica]") {
  const char* const text = std::getenv("LONGTAIL_KILLS");
  const int kills = text == nullptr ? 4 : std::atoi(text);
  ProgramCluster programs({.servers = 3, .workers = 2, .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  Rng gen(7);
  for (int kill = 0; kill < kills; ++kill) {
    CHECK(pushes.AwaitMore());
    const auto victim = static_cast<std::uint32_t>(gen.Below(3));
    if (gen.Below(3) == 0) {  // It stands still, is replaced, and wakes as one who leads.
      programs.servers[victim]->Send(SIGSTOP);
      absl::SleepFor(absl::Milliseconds(gen.Below(4000)));
      programs.servers[victim]->Send(SIGCONT);
    } else {
      programs.servers[victim]->Kill();
      absl::SleepFor(absl::Milliseconds(gen.Below(300)));
      programs.StartServer(victim);
    }
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
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
  WARN(kills << " kills and stops, " << pushes.acknowledged()
             << " pushes acknowledged, each counted once");
}

TEST_CASE("a synchronous training whose replicated servers are killed has the bits of one in peace",
          "[cluster][process][replica][step]") {
  // (What a row went through is counted anew in who comes back: so each is killed once.)
  const std::vector<std::uint64_t> want = test::EmbeddedTrainingHashes(1, 64);
  ProgramCluster programs(
      {.servers = 3, .workers = test::kTrainingWorkers, .step_mode = "synchronous", .replicas = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const std::vector<std::uint64_t> got = test::TrainingHashes(
      *cluster,
      [&](std::uint32_t rank) {
        return Must(
            cluster->Connect({.retry_after = std::chrono::milliseconds(300), .rank = rank}));
      },
      [&] {
        absl::SleepFor(absl::Milliseconds(30));
        programs.servers[1]->Kill();
      });
  CHECK(got == want);
}

}  // namespace
}  // namespace longtail
