// Processes that are killed or stopped while a worker pushes: everything counts exactly once.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cluster/program_cluster.h"
#include "protocol/cluster_map.h"

namespace longtail {
namespace {

using test::Must;
using test::Program;
using test::ProgramCluster;
using test::Says;

std::vector<Key> KeysBelow(Key end) {
  std::vector<Key> keys;
  for (Key key = 0; key < end; ++key) keys.push_back(key);
  return keys;
}

// A thread that pushes -1 to the keys of a table of width 1 until it is told to end.
class Pusher {
 public:
  Pusher(Worker& worker, TableId table, const std::vector<Key>& keys)
      : thread_([this, &worker, table, &keys] {
          const std::vector<float> gradients(keys.size(), -1);
          while (!stop_ && status_.ok()) {
            status_ = worker.Push(table, keys, gradients);
            if (status_.ok()) ++count_;
          }
        }) {}
  ~Pusher() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  int count() const { return count_; }

  bool AwaitMore(int more, absl::Duration limit) const {
    const int from = count_;
    return Program::Await(limit, [&] { return count_ >= from + more; });
  }

  /// Ends it; how many pushes were acknowledged.
  int End() {
    stop_ = true;
    thread_.join();
    Must(status_);
    return count_;
  }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> count_ = 0;
  absl::Status status_;
  std::thread thread_;
};

TEST_CASE("training goes on without the coordinator, and with the next one as before",
          "[cluster][process]") {
  ProgramCluster programs({.servers = 2, .workers = 2});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = KeysBelow(100);
  Pusher pusher(*worker, table, keys);
  REQUIRE(pusher.AwaitMore(20, absl::Seconds(20)));

  programs.coordinator->Kill();

  CHECK(pusher.AwaitMore(100, absl::Seconds(20)));
  CHECK(test::Rows(*worker, table, {1}, 1)[0] >= 3 + 100);

  programs.StartCoordinator(programs.address);

  CHECK(pusher.AwaitMore(20, absl::Seconds(20)));
  const TableId second_table = Must(cluster->CreateTable(test::ExactSpec("u", 1)));
  CHECK(Must(cluster->CreateTable(test::ExactSpec("t", 1))) == table);
  const auto other = Must(Cluster::Remote(programs.remote()));
  const auto second = Must(other->Connect());
  CHECK(second->rank() == 1);
  Must(second->Push(second_table, keys, std::vector<float>(keys.size(), -2)));
  Must(second->Push(table, keys, std::vector<float>(keys.size(), -2)));
  const int count = pusher.End();
  CHECK(test::Rows(*second, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + 2 + count)));
  CHECK(test::Rows(*worker, second_table, keys, 1) == std::vector<float>(keys.size(), 5));
}

TEST_CASE("a server that stands still for a while loses and repeats nothing",
          "[cluster][process]") {
  ProgramCluster programs({.servers = 2, .workers = 1});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  // Requests are sent again while the server stands, and all of them reach it in the end.
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(200)}));
  const std::vector<Key> keys = KeysBelow(100);
  Pusher pusher(*worker, table, keys);
  REQUIRE(pusher.AwaitMore(20, absl::Seconds(20)));

  programs.servers[0]->Send(SIGSTOP);
  absl::SleepFor(absl::Milliseconds(200));

  const absl::Time before = absl::Now();
  std::vector<float> rows(keys.size());
  const absl::Status late =
      worker->Pull(table, keys, rows, {.timeout = std::chrono::milliseconds(500)});
  CHECK(absl::Now() - before < absl::Seconds(3));
  CHECK(absl::IsDeadlineExceeded(late));
  CHECK(Says(late, "server 'server-0'"));
  CHECK(Says(late, "at tcp://127.0.0.1:"));
  absl::SleepFor(absl::Seconds(2));
  const int standing = pusher.count();
  absl::SleepFor(absl::Seconds(1));
  CHECK(pusher.count() == standing);

  programs.servers[0]->Send(SIGCONT);

  CHECK(pusher.AwaitMore(20, absl::Seconds(20)));
  const int count = pusher.End();
  CHECK(test::Rows(*worker, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + count)));
}

// The last number that a pushing_worker wrote.
int Acknowledged(const Program& pushing) {
  std::istringstream lines(pushing.said());
  int last = 0;
  for (std::string line; std::getline(lines, line) && !lines.eof();) last = std::atoi(line.c_str());
  return last;
}

TEST_CASE("a killed worker has pushed what was acknowledged, and its rank is free again",
          "[cluster][process]") {
  ProgramCluster programs({.servers = 2, .workers = 2, .lease_seconds = 5});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  Program pushing({LONGTAIL_PUSHING_WORKER, programs.address, "1"});
  INFO(pushing.said());
  REQUIRE(Program::Await(absl::Seconds(20), [&] { return Acknowledged(pushing) >= 50; }));
  CHECK(programs.AwaitWorkers(1, absl::Seconds(1)));

  pushing.Kill();

  const int acknowledged = Acknowledged(pushing);
  CHECK(programs.AwaitWorkers(0, absl::Seconds(15)));
  const auto worker = Must(cluster->Connect({.rank = 1}));
  CHECK(worker->rank() == 1);
  const std::vector<Key> keys = KeysBelow(64);
  const std::vector<float> rows = test::Rows(*worker, table, keys, 1);
  // One push at a time, so at most one is beyond; what goes to one lane is one request, whole or
  // not at all. Half of the 64 partitions are a lane's.
  std::vector<float> by_lane[2];
  for (const Key key : keys) {
    const auto partition = static_cast<std::uint32_t>(PartitionOf(key, 64));
    by_lane[partition / 32].push_back(rows[key] - 3);
  }
  for (const std::vector<float>& values : by_lane) {
    REQUIRE(!values.empty());
    CHECK(std::ranges::count(values, values[0]) == static_cast<std::ptrdiff_t>(values.size()));
    CHECK(values[0] >= static_cast<float>(acknowledged));
    CHECK(values[0] <= static_cast<float>(acknowledged + 1));
  }
}

TEST_CASE("a worker whose servers are gone takes its leave, and waits for none of them",
          "[cluster][process]") {
  ProgramCluster programs({.servers = 2, .workers = 1});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  auto worker = Must(cluster->Connect());
  Must(worker->Push(table, KeysBelow(64), std::vector<float>(64, -1)));
  for (const auto& server : programs.servers) server->Kill();

  const absl::Time begin = absl::Now();
  worker.reset();

  CHECK(absl::Now() - begin < absl::Seconds(20));  // Its requests would have waited for 60 s.
}

TEST_CASE("the others' steps wait for a killed worker until its lease is over",
          "[cluster][process]") {
  ProgramCluster programs(
      {.servers = 2, .workers = 2, .step_mode = "synchronous", .lease_seconds = 5});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  Program pushing({LONGTAIL_PUSHING_WORKER, programs.address, "1"});
  const auto worker = Must(cluster->Connect({.rank = 0}));
  const std::vector<Key> keys = KeysBelow(64);
  const std::vector<float> gradients(keys.size(), -1000);
  int steps = 0;
  const auto step = [&] {
    Must(worker->Push(table, keys, gradients));
    Must(worker->EndStep());
    ++steps;
    return test::Rows(*worker, table, keys, 1);
  };
  for (int i = 0; i < 10; ++i) step();

  pushing.Kill();

  const absl::Time killed = absl::Now();
  const int acknowledged = Acknowledged(pushing);
  CHECK(acknowledged >= 9);
  std::vector<float> rows;
  while (steps <= acknowledged + 1) rows = step();  // It was ahead: its pushes wait for their step.
  CHECK(absl::Now() < killed + absl::Seconds(20));
  CHECK(programs.AwaitWorkers(1, absl::Seconds(5)));
  for (const float row : rows) {
    const int of_others = static_cast<int>(row) - 3 - 1000 * steps;
    CHECK(of_others >= acknowledged);
    // The push of the step that it was in may have come.
    CHECK(of_others <= acknowledged + 1);
  }
}

}  // namespace
}  // namespace longtail
