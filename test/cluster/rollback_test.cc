// A running cluster goes back to a checkpoint: what came since is gone, on every server and to
// every reader, whatever ends meanwhile.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::KeysBelow;
using test::Must;
using test::Program;
using test::ProgramCluster;

constexpr Key kKeys = 600;

RemoteOptions WithStore(const ProgramCluster& programs, const std::string& store) {
  RemoteOptions options = programs.remote();
  options.store = store;
  options.checkpoint_timeout = std::chrono::seconds(40);
  return options;
}

absl::Duration PoisonTime() {
  const char* const seconds = std::getenv("LONGTAIL_POISON_SECONDS");
  return absl::Seconds(seconds == nullptr ? 1 : std::atoi(seconds));
}

std::unique_ptr<Program> StartReader(const ProgramCluster& programs) {
  auto reader = std::make_unique<Program>(std::vector<std::string>{
      LONGTAIL_PROGRAM, "serve", "--coordinator", programs.address, "--name", "reader-0",
      "--listen", "tcp://127.0.0.1:0", "--join-timeout", "30", "--reads"});
  REQUIRE(reader->AwaitText("server_serves", absl::Seconds(30)));
  return reader;
}

WorkerOptions Patient() {
  return {.timeout = std::chrono::seconds(60), .retry_after = std::chrono::milliseconds(300)};
}

TEST_CASE("after a poisoned stream a cluster goes back to the rows from before it",
          "[cluster][process][rollback]") {
  struct Way {
    std::uint32_t servers;
    std::uint32_t replicas;
    bool keeps_log;
    const char* step_mode;
  };
  const Way way = GENERATE(Way{2, 1, false, "asynchronous"}, Way{2, 2, false, "synchronous"},
                           Way{2, 2, true, "asynchronous"}, Way{1, 1, true, "synchronous"});
  CAPTURE(way.replicas, way.keeps_log, way.step_mode);
  const test::ScratchDirectory store;
  ProgramCluster programs({.servers = way.servers,
                           .workers = 1,
                           .step_mode = way.step_mode,
                           .keeps_log = way.keeps_log,
                           .replicas = way.replicas,
                           .store = store.path()});
  const auto reads = StartReader(programs);
  const auto cluster = Must(Cluster::Remote(WithStore(programs, store.path())));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 2)));
  const std::vector<Key> keys = KeysBelow(kKeys);
  const std::vector<float> gradients(2 * keys.size(), -1);
  auto worker = Must(cluster->Connect(Patient()));
  for (int i = 0; i < 5; ++i) {
    Must(worker->Push(table, keys, gradients));
    Must(worker->EndStep());
  }
  Must(cluster->Checkpoint("good"));
  const std::uint64_t good = Must(cluster->Statistics(table)).hash;

  // The poison, until somebody stops it.
  absl::Status poison;
  std::thread poisoner([&] {
    while (poison.ok()) {
      poison = worker->Push(table, keys, gradients);
      if (poison.ok()) poison = worker->EndStep();
    }
  });
  absl::SleepFor(PoisonTime());
  CHECK(Must(cluster->Statistics(table)).hash != good);
  const auto serving = Must(Cluster::Remote(programs.remote()));
  const auto reader = Must(serving->ConnectReader(Patient()));

  Program rollback({LONGTAIL_PROGRAM, "rollback", "good", "--store", store.path(), "--cluster",
                    programs.address, "--timeout", "40"});
  const int ended = rollback.Wait(absl::Seconds(60));
  INFO(rollback.said());
  CHECK(ended == 0);
  CHECK(rollback.said().find("the cluster has the rows of good, step") != std::string::npos);
  poisoner.join();
  INFO(poison.ToString());
  CHECK(absl::IsAborted(poison));
  CHECK(std::string(poison.message()).find("rolled back to checkpoint 'good'") !=
        std::string::npos);
  CHECK(Must(cluster->Statistics(table)).hash == good);
  CHECK(cluster->last_rollback()->name == "good");
  worker.reset();

  // Who only reads has them, too.
  CHECK(Program::Await(absl::Seconds(20), [&] {
    return test::Rows(*reader, table, keys, 2) == std::vector<float>(2 * keys.size(), 8);
  }));
  // Training goes on from there, and is as safe as before.
  REQUIRE(programs.AwaitWorkers(0, absl::Seconds(10)));
  const auto next = Must(cluster->Connect(Patient()));
  CHECK(next->step() == cluster->last_rollback()->step);
  Must(next->Push(table, keys, gradients));
  Must(next->EndStep());
  CHECK(test::Rows(*next, table, keys, 2) == std::vector<float>(2 * keys.size(), 9));
  if (way.replicas > 1 || way.keeps_log) {
    if (way.replicas > 1) REQUIRE(programs.AwaitReplicas(absl::Seconds(20)));
    programs.servers[0]->Kill();
    if (way.replicas == 1) programs.StartServer(0);
    CHECK(test::Rows(*next, table, keys, 2) == std::vector<float>(2 * keys.size(), 9));
  }
}

TEST_CASE("readers see all of a rollback or nothing of it", "[cluster][process][rollback]") {
  const bool has_reading_server = GENERATE(true, false);
  const test::ScratchDirectory store;
  ProgramCluster programs({.servers = 2, .workers = 1, .lanes = 2, .store = store.path()});
  const auto reads = has_reading_server ? StartReader(programs) : nullptr;
  const auto cluster = Must(Cluster::Remote(WithStore(programs, store.path())));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const std::vector<Key> keys = KeysBelow(kKeys);
  const auto worker = Must(cluster->Connect(Patient()));
  const auto push = [&](float by) {
    Must(worker->Push(table, keys, std::vector<float>(keys.size(), -by)));
  };
  push(1);
  Must(cluster->Checkpoint("four"));
  push(1);
  Must(cluster->Checkpoint("five"));
  const auto serving = Must(Cluster::Remote(programs.remote()));
  const auto reader = Must(serving->ConnectReader(Patient()));
  REQUIRE(Program::Await(absl::Seconds(20), [&] {
    return test::Rows(*reader, table, keys, 1) == std::vector<float>(keys.size(), 5);
  }));

  std::atomic<bool> stop = false;
  std::vector<float> seen;      // One row of each pull, which all others were like;
  std::atomic<float> last = 5;  // the newest.
  std::size_t mixed = 0;
  std::thread looks([&] {
    while (!stop) {
      const std::vector<float> rows = test::Rows(*reader, table, keys, 1);
      if (std::ranges::count(rows, rows[0]) != std::ssize(rows)) ++mixed;
      if (seen.empty() || seen.back() != rows[0]) seen.push_back(rows[0]);
      last = rows[0];
    }
  });
  std::vector<float> want = {5};
  for (int i = 0; i < 6; ++i) {
    const bool to_four = i % 2 == 0;
    Must(cluster->RollBack(to_four ? "four" : "five"));
    want.push_back(to_four ? 4 : 5);
    CHECK(Program::Await(absl::Seconds(20), [&] { return last == want.back(); }));
  }
  stop = true;
  looks.join();
  CHECK(mixed == 0);
  CHECK(seen == want);
}

TEST_CASE("a rollback is done though servers and the coordinator are killed in the midst of it",
          "[cluster][process][rollback]") {
  const bool keeps_log = GENERATE(false, true);
  const test::ScratchDirectory store;
  ProgramCluster programs(
      {.servers = 3, .workers = 1, .keeps_log = keeps_log, .replicas = 2, .store = store.path()});
  const auto cluster = Must(Cluster::Remote(WithStore(programs, store.path())));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const std::vector<Key> keys = KeysBelow(kKeys);
  auto worker = Must(cluster->Connect(Patient()));
  const std::vector<float> gradients(keys.size(), -1);
  Must(worker->Push(table, keys, gradients));
  Must(cluster->Checkpoint("good"));
  float have = 4;
  for (std::uint32_t i = 0; i < 3; ++i) {
    // It has more, goes back, and a server ends meanwhile, each time a little later.
    Must(worker->Push(table, keys, gradients));
    CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), have + 1));
    absl::Status rolled_back;
    std::thread operates([&] { rolled_back = cluster->RollBack("good"); });
    absl::SleepFor(absl::Milliseconds(i * 15));
    programs.servers[i]->Kill();
    if (i == 1) {
      programs.coordinator->Kill();
      programs.StartCoordinator(programs.address);
    }
    programs.StartServer(i);
    operates.join();
    Must(rolled_back);
    worker.reset();
    REQUIRE(programs.AwaitWorkers(0, absl::Seconds(20)));
    worker = Must(cluster->Connect(Patient()));
    CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 4));
    Must(worker->Push(table, keys, gradients));
    CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 5));
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
    have = 5;
  }
}

TEST_CASE("what keeps a cluster from a rollback is said before anything is lost",
          "[cluster][process][rollback]") {
  const test::ScratchDirectory store;
  ProgramCluster programs({.servers = 1, .workers = 1, .store = store.path()});
  RemoteOptions options = WithStore(programs, store.path());
  options.checkpoint_timeout = std::chrono::seconds(3);
  const auto cluster = Must(Cluster::Remote(options));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect(Patient()));
  const std::vector<Key> keys = KeysBelow(10);
  Must(worker->Push(table, keys, std::vector<float>(keys.size(), -1)));
  Must(cluster->Checkpoint("good"));
  CHECK_FALSE(cluster->last_rollback());

  const auto says = [](const absl::Status& status, const std::string& words) {
    INFO(status.ToString());
    CHECK(std::string(status.message()).find(words) != std::string::npos);
  };
  says(cluster->RollBack("bad"), "bad");
  CHECK(absl::IsNotFound(cluster->RollBack("bad")));
  says(Must(Cluster::Remote(programs.remote()))->RollBack("good"), "without a store");
  {
    // A checkpoint of other tables.
    const auto other = Must(Cluster::Embedded({.store = store.path()}));
    Must(other->CreateTable(test::ExactSpec("u", 1)));
    Must(other->Checkpoint("foreign"));
  }
  says(cluster->RollBack("foreign"), "table 'u' of the checkpoint: the cluster has none");
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 4));

  // A server that cannot read it says so, and goes on once it can.
  const std::string hidden = store.path() + "-hidden";
  Must(worker->Push(table, keys, std::vector<float>(keys.size(), -1)));
  std::vector<std::string> chunks;
  for (const auto& entry : std::filesystem::directory_iterator(store.path() + "/good")) {
    if (entry.path().extension() == ".snapshot") chunks.push_back(entry.path());
  }
  REQUIRE(!chunks.empty());
  std::filesystem::rename(chunks[0], hidden);
  const absl::Status waits = cluster->RollBack("good");
  CHECK(absl::IsDeadlineExceeded(waits));
  says(waits, "it said last: ");
  CHECK(programs.servers[0]->AwaitText("lane_not_rolled_back", absl::Seconds(5)));
  std::filesystem::rename(hidden, chunks[0]);
  CHECK(programs.servers[0]->AwaitText("lane_rolled_back", absl::Seconds(10)));
  const auto next = Must(cluster->Connect(Patient()));
  CHECK(test::Rows(*next, table, keys, 1) == std::vector<float>(keys.size(), 4));
}

}  // namespace
}  // namespace longtail
