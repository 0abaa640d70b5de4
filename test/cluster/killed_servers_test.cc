// Servers that keep a log are killed with -9 and started again: what was acknowledged is there.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "cluster/killed_logs.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::ProgramCluster;

const ProgramCluster::Options kLogged = {.servers = 2, .workers = 2, .keeps_log = true};

TEST_CASE("a killed server comes back with every acknowledged push, on another port, too",
          "[cluster][process]") {
  ProgramCluster programs(kLogged);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = KeysBelow(200);
  const std::vector<float> gradients(keys.size(), -1);
  for (int i = 0; i < 20; ++i) Must(worker->Push(table, keys, gradients));

  programs.servers[0]->Kill();
  programs.StartServer(0);

  CHECK(programs.servers[0]->said().find("lane_recovered") != std::string::npos);
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 20));
  Must(worker->Push(table, keys, gradients));
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 21));
  // What others are told of goes on, too.
  const TableId second = Must(cluster->CreateTable(test::ExactSpec("u", 2)));
  const auto joined = Must(Cluster::Remote(programs.remote()));
  const auto other = Must(joined->Connect());
  Must(other->Push(second, keys, std::vector<float>(2 * keys.size(), -2)));
  CHECK(test::Rows(*other, second, keys, 2) == std::vector<float>(2 * keys.size(), 5));
}

TEST_CASE("servers are killed again and again while two workers push: totals are exact",
          "[cluster][process]") {
  ProgramCluster::Options options = kLogged;
  options.writes_bases = GENERATE(false, true);
  test::KillServersWithLogs(options, test::Kills(6));
}

TEST_CASE("a synchronous training whose servers are killed ends with the bits of one in peace",
          "[cluster][process][step]") {
  // (Without bases: what a row went through is counted anew behind one.)
  const std::vector<std::uint64_t> want = test::EmbeddedTrainingHashes(1, 64);
  ProgramCluster programs({.servers = 2,
                           .workers = test::kTrainingWorkers,
                           .step_mode = "synchronous",
                           .keeps_log = true});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const std::vector<std::uint64_t> got = test::TrainingHashes(
      *cluster,
      [&](std::uint32_t rank) {
        return Must(
            cluster->Connect({.retry_after = std::chrono::milliseconds(300), .rank = rank}));
      },
      [&] {
        for (std::uint32_t i = 0; i < 4; ++i) {
          absl::SleepFor(absl::Milliseconds(30));
          programs.servers[i % 2]->Kill();
          programs.StartServer(i % 2);
        }
      });
  CHECK(got == want);
}

}  // namespace
}  // namespace longtail
