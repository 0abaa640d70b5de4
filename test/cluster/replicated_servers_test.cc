// Servers with replicas are killed with -9, and come back with nothing: others have what was
// acknowledged, lead on, and give it to who comes back.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "cluster/program_cluster.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::Must;
using test::Program;
using test::ProgramCluster;

std::vector<Key> KeysBelow(Key end) {
  std::vector<Key> keys;
  for (Key key = 0; key < end; ++key) keys.push_back(key);
  return keys;
}

TEST_CASE("a killed server's lanes go on within three seconds, with every acknowledged push",
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
  constexpr std::size_t kKeys = 500;
  const std::vector<Key> keys = KeysBelow(kKeys);
  std::atomic<bool> stop = false;
  std::atomic<int> pushes = 0;
  // What each of them was acknowledged, by key.
  std::vector<std::vector<std::int64_t>> sums(2, std::vector<std::int64_t>(kKeys, 0));
  std::vector<absl::Status> outcomes(2);
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 2; ++i) {
    workers.push_back(Must(cluster->Connect({.retry_after = std::chrono::milliseconds(500)})));
  }
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < 2; ++w) {
    threads.emplace_back([&, w] {
      Rng gen(w + 1);
      while (!stop && outcomes[w].ok()) {
        std::vector<Key> some;
        std::vector<float> gradients;
        for (const Key key : keys) {
          if (gen.Below(4) != 0) continue;
          some.push_back(key);
          const auto amount = static_cast<float>(1 + gen.Below(5));
          gradients.insert(gradients.end(), 4, -amount);
        }
        outcomes[w] = workers[w]->Push(table, some, gradients);
        if (!outcomes[w].ok()) break;
        for (std::size_t i = 0; i < some.size(); ++i) {
          sums[w][some[i]] -= static_cast<std::int64_t>(gradients[4 * i]);
        }
        ++pushes;
      }
    });
  }
  Rng gen(7);
  for (int kill = 0; kill < kills; ++kill) {
    const int before = pushes;
    CHECK(Program::Await(absl::Seconds(20), [&] { return pushes >= before + 10; }));
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
  const int before = pushes;
  CHECK(Program::Await(absl::Seconds(20), [&] { return pushes >= before + 10; }));
  stop = true;
  for (std::thread& thread : threads) thread.join();

  for (const absl::Status& outcome : outcomes) Must(outcome);
  std::vector<float> want;
  for (std::size_t key = 0; key < kKeys; ++key) {
    want.insert(want.end(), 4, static_cast<float>(3 + sums[0][key] + sums[1][key]));
  }
  CHECK(test::Rows(*workers[0], table, keys, 4) == want);
  // So do those have them that follow: each of them leads once.
  for (std::uint32_t i = 0; i < 3; ++i) {
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
    programs.servers[i]->Kill();
    CHECK(test::Rows(*workers[0], table, keys, 4) == want);
    programs.StartServer(i);
  }
  WARN(kills << " kills and stops, " << pushes << " pushes acknowledged, each counted once");
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
