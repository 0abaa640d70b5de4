// A cluster of servers behind sockets does what one in this process does.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "cluster/process_fixture.h"
#include "server/scratch_directory.h"
#include "server/training.h"
#include "support/free_port.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StartProcesses;

TEST_CASE("rows that were pushed to servers are pulled from them", "[cluster]") {
  auto processes = StartProcesses({.cluster = {.servers = 2, .workers = 2}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  CHECK(cluster->options().partitions == 64);
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  const auto worker = Must(cluster->Connect());
  std::vector<Key> keys;
  for (Key key = 0; key < 5000; ++key) keys.push_back(key);
  const std::vector<float> gradients(keys.size() * 4, -2);

  for (int i = 0; i < 3; ++i) Must(worker->Push(table, keys, gradients));

  CHECK(test::Rows(*worker, table, keys, 4) == std::vector<float>(keys.size() * 4, 9));
  CHECK(Must(cluster->Statistics(table)).rows == keys.size());
  // Another program sees the table and the rows.
  const auto other = Must(Cluster::Remote(processes.remote()));
  CHECK(Must(other->FindTable("t")) == table);
  CHECK(Must(other->CreateTable(test::ExactSpec("t", 4))) == table);
  CHECK(absl::IsAlreadyExists(other->CreateTable(test::ExactSpec("t", 5)).status()));
  const auto second = Must(other->Connect());
  CHECK(second->rank() == 1);
  CHECK(test::Rows(*second, table, {4999}, 4) == std::vector<float>(4, 9));
}

TEST_CASE("calls larger than a request are cut, and are one call all the same", "[cluster]") {
  constexpr std::size_t kDim = 200;  // Several requests a lane.
  auto processes = StartProcesses({.cluster = {.servers = 2, .workers = 1}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", kDim)));
  const auto worker = Must(cluster->Connect());
  std::vector<Key> keys;
  for (Key key = 0; key < 10'000; ++key) keys.push_back(key);
  std::vector<float> gradients;
  for (const Key key : keys) gradients.insert(gradients.end(), kDim, -static_cast<float>(key % 7));
  const std::vector<float> start = test::Rows(*worker, table, keys, kDim);

  for (int i = 0; i < 2; ++i) Must(worker->Push(table, keys, gradients));

  std::vector<float> want = start;
  for (std::size_t i = 0; i < want.size(); ++i) want[i] -= 2 * gradients[i];
  CHECK(test::Rows(*worker, table, keys, kDim) == want);
  CHECK(Must(cluster->Statistics(table)).pushes == 2 * keys.size());
}

TEST_CASE("servers train to the bits of an embedded cluster", "[cluster][step]") {
  const std::vector<std::uint64_t> want = test::EmbeddedTrainingHashes(1, 64);
  const test::ScratchDirectory scratch;
  for (const std::uint32_t servers : {1U, 3U, 4U}) {
    const std::string ipc = servers == 3 ? scratch.path() : "";
    CAPTURE(servers, ipc);
    auto processes = StartProcesses({.cluster = {.servers = servers,
                                                 .workers = test::kTrainingWorkers,
                                                 .step_mode = StepMode::kSynchronous}},
                                    2, "", ipc);
    const auto cluster = Must(Cluster::Remote(processes.remote()));
    CHECK(test::TrainingHashes(*cluster, [&](std::uint32_t rank) {
            return Must(cluster->Connect({.rank = rank}));
          }) == want);
  }
}

TEST_CASE("a checkpoint of servers is restored into any cluster", "[cluster][checkpoint]") {
  const test::ScratchDirectory scratch;
  std::uint64_t hash = 0;
  {
    auto processes = StartProcesses({.cluster = {.servers = 2}}, 1, scratch.path());
    RemoteOptions options = processes.remote();
    options.store = scratch.path();
    const auto cluster = Must(Cluster::Remote(options));
    const TableId table =
        Must(cluster->CreateTable(test::SpecOf("t", 3, AdagradSpec{.learning_rate = 0.1F})));
    const auto worker = Must(cluster->Connect());
    Must(worker->Push(table, std::vector<Key>{1, 2, 3}, std::vector<float>(9, 0.5F)));
    Must(worker->EndStep());
    hash = Must(cluster->Statistics(table)).hash;
    Must(cluster->Checkpoint("c", {{"note", "hello"}}));
  }
  const auto embedded = Must(Cluster::Restore({}, {.store = scratch.path(), .name = "c"}));
  CHECK(Must(embedded->Statistics(TableId{0})).hash == hash);

  auto processes = StartProcesses({.cluster = {.servers = 3}});
  const auto cluster = Must(Cluster::Remote(processes.remote()));
  Must(cluster->Load({.store = scratch.path(), .name = "c"}));
  CHECK(Must(cluster->Statistics(Must(cluster->FindTable("t")))).hash == hash);
}

TEST_CASE("a barrier lets nobody through before all are there", "[cluster]") {
  auto processes = StartProcesses({.cluster = {}});
  const auto first = Must(Cluster::Remote(processes.remote()));
  const auto second = Must(Cluster::Remote(processes.remote()));
  const auto alone = first->Barrier("b", 2, std::chrono::milliseconds(300));
  CHECK(absl::IsDeadlineExceeded(alone));
  CHECK(Says(alone, "barrier 'b' of 2 processes: no answer from the coordinator"));
  CHECK(absl::IsInvalidArgument(second->Barrier("b", 3, std::chrono::seconds(1))));

  std::atomic<bool> is_through = false;
  std::thread waiting([&] {
    Must(first->Barrier("c", 2, std::chrono::seconds(20)));
    is_through = true;
  });
  absl::SleepFor(absl::Milliseconds(50));
  CHECK(!is_through);
  Must(second->Barrier("c", 2, std::chrono::seconds(20)));
  waiting.join();
  Must(second->Barrier("c", 2, std::chrono::seconds(20)));  // As one that did not hear.
}

TEST_CASE("what a cluster waits for is said", "[cluster][errors]") {
  const auto coordinator = Must(CoordinatorProcess::Start({.cluster = {.servers = 3}}));
  const absl::Status alone = Cluster::Remote({.coordinator = coordinator->address(),
                                              .join_timeout = std::chrono::milliseconds(300)})
                                 .status();
  CHECK(absl::IsDeadlineExceeded(alone));
  CHECK(Says(alone, "joining the cluster: after 300ms the coordinator at " +
                        coordinator->address() + " still waits for 3 of 3 servers"));

  const std::string away = "tcp://127.0.0.1:" + std::to_string(test::FreePort());
  const absl::Status nobody =
      Cluster::Remote({.coordinator = away, .join_timeout = std::chrono::milliseconds(300)})
          .status();
  CHECK(absl::IsDeadlineExceeded(nobody));
  CHECK(Says(nobody, "no answer from the coordinator at " + away));
  CHECK(Says(nobody, "connection refused: nobody listens there"));

  const absl::Status nameless = Cluster::Remote({.coordinator = "tcp://no-such-host.invalid:1",
                                                 .join_timeout = std::chrono::milliseconds(300)})
                                    .status();
  CHECK(Says(nameless, "the name 'no-such-host.invalid' cannot be resolved"));
}

TEST_CASE("a table that another program made later is found", "[cluster]") {
  auto processes = StartProcesses({.cluster = {.servers = 1, .workers = 1}});
  const auto first = Must(Cluster::Remote(processes.remote()));
  const auto second = Must(Cluster::Remote(processes.remote()));
  CHECK(absl::IsNotFound(first->FindTable("late").status()));
  const TableId table = Must(second->CreateTable(test::ExactSpec("late", 1)));
  CHECK(Must(first->FindTable("late")) == table);
}

}  // namespace
}  // namespace longtail
