// A worker's links to servers and coordinator are cut, for shorter and longer than it takes to send
// again: what it pushed counts exactly once, no call outlasts its deadline, and its error names who
// is missing. Servers have no replicas, so nobody takes over.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "protocol/cluster_map.h"

namespace longtail {
namespace {

using test::CutNetwork;
using test::KeysBelow;
using test::Must;
using test::Program;
using test::ProgramCluster;
using Cut = CutNetwork::Cut;

constexpr std::chrono::milliseconds kTimeout(800);
// What a busy machine may add to a deadline.
constexpr absl::Duration kSlack = absl::Seconds(2);

// Pushes -1 to all keys, one push at a time, each with a deadline that a cut outlasts.
class ImpatientPusher {
 public:
  ImpatientPusher(Worker& worker, TableId table, std::vector<Key> keys)
      : thread_([this, &worker, table, keys = std::move(keys)] { Run(worker, table, keys); }) {}
  ~ImpatientPusher() { Stop(); }
  ImpatientPusher(const ImpatientPusher&) = delete;
  ImpatientPusher& operator=(const ImpatientPusher&) = delete;

  int acknowledged() const { return acknowledged_; }
  int timed_out() const { return timed_out_; }

  bool AwaitMore() const {
    const int before = acknowledged_;
    return Program::Await(absl::Seconds(60), [&] { return acknowledged_ >= before + 5; });
  }

  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  // After Stop.
  absl::Duration longest() const { return longest_; }
  const absl::Status& timeout() const { return timeout_; }        ///< One of those.
  const absl::Status& unexpected() const { return unexpected_; }  ///< Any other error.

 private:
  void Run(Worker& worker, TableId table, const std::vector<Key>& keys) {
    const std::vector<float> gradients(keys.size(), -1);
    while (!stop_ && unexpected_.ok()) {
      const absl::Time before = absl::Now();
      const absl::Status outcome = worker.Push(table, keys, gradients, {.timeout = kTimeout});
      longest_ = std::max(longest_, absl::Now() - before);
      if (outcome.ok()) {
        ++acknowledged_;
      } else if (absl::IsDeadlineExceeded(outcome)) {
        timeout_ = outcome;
        ++timed_out_;
      } else {
        unexpected_ = outcome;
      }
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<int> timed_out_ = 0;
  absl::Duration longest_;
  absl::Status timeout_;
  absl::Status unexpected_;
  std::thread thread_;
};

// Those of `keys` that lane `lane` of two has.
std::vector<Key> KeysOfLane(const std::vector<Key>& keys, std::uint32_t lane) {
  std::vector<Key> some;
  for (const Key key : keys) {
    if (static_cast<std::uint32_t>(PartitionOf(key, 64)) / 32 == lane) some.push_back(key);
  }
  return some;
}

// Cuts the worker from one of two servers again and again.
void CheckWorkerCut(const char* from, const char* to, bool both_ways, Cut how) {
  const auto network = CutNetwork::Make({"coordinator", "server-0", "server-1", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs({.servers = 2, .workers = 1, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(250)}));
  const std::vector<Key> keys = KeysBelow(100);
  const std::vector<Key> others = KeysOfLane(keys, 1);
  ImpatientPusher pusher(*worker, table, keys);
  REQUIRE(pusher.AwaitMore());
  const auto cut = [&] {
    if (both_ways) {
      network->CutBothWays(from, to, how);
    } else {
      network->CutOneWay(from, to, how);
    }
  };

  int pushed_to_others = 0;
  const char* const text = std::getenv("LONGTAIL_CUT_SECONDS");
  const double longer = text == nullptr ? 2 : std::atof(text);
  for (const double seconds : {0.1, 0.4, longer}) {
    CAPTURE(seconds);
    const absl::Time heal_at = absl::Now() + absl::Seconds(seconds);
    cut();
    if (seconds == longer) {  // Who is not cut off is served, and who is missing is named.
      Must(worker->Push(table, others, std::vector<float>(others.size(), -1)));
      ++pushed_to_others;
      CHECK(Program::Await(absl::Seconds(5), [&] { return pusher.timed_out() > 0; }));
      const absl::Time before = absl::Now();
      std::vector<float> rows(keys.size());
      const absl::Status late = worker->Pull(table, keys, rows, {.timeout = kTimeout});
      CHECK(absl::Now() - before < absl::FromChrono(kTimeout) + kSlack);
      CHECK(absl::IsDeadlineExceeded(late));
      CHECK(test::Says(late, "server 'server-0'"));
      CHECK(test::Says(late, absl::StrCat("at tcp://", network->AddressOf("server-0"), ":")));
    }
    absl::SleepFor(heal_at - absl::Now());
    network->Heal();
    const absl::Time healed = absl::Now();
    CHECK(pusher.AwaitMore());
    if (seconds == longer) {
      WARN("pushes again " << absl::FormatDuration(absl::Now() - healed) << " behind a cut of "
                           << seconds << " s");
    }
  }
  pusher.Stop();

  CHECK(pusher.unexpected().ToString() == "OK");
  CHECK(pusher.longest() < absl::FromChrono(kTimeout) + kSlack);
  CHECK(test::Says(pusher.timeout(), "server 'server-0'"));
  // A push is sent until it is acknowledged, also when its caller's deadline is past.
  const int all = pusher.acknowledged() + pusher.timed_out();
  std::vector<float> want(keys.size(), static_cast<float>(3 + all));
  for (const Key key : others) want[key] += static_cast<float>(pushed_to_others);
  CHECK(Program::Await(absl::Seconds(20),
                       [&] { return test::Rows(*worker, table, keys, 1) == want; }));
  WARN(pusher.acknowledged() << " pushes acknowledged in time, " << pusher.timed_out()
                             << " later, each counted once");
}

TEST_CASE("a worker cut from one server: each push counts once, others serve",
          "[cluster][process][links]") {
  CheckWorkerCut("workers", "server-0", true, Cut::kDrop);
}

TEST_CASE("a worker whose requests to one server are lost: each push counts once, others serve",
          "[cluster][process][links]") {
  CheckWorkerCut("workers", "server-0", false, Cut::kDrop);
}

TEST_CASE("a worker whose answers from one server are lost: each push counts once, others serve",
          "[cluster][process][links]") {
  CheckWorkerCut("server-0", "workers", false, Cut::kDrop);
}

TEST_CASE("a worker's connections to one server are reset: each push counts once, others serve",
          "[cluster][process][links]") {
  CheckWorkerCut("workers", "server-0", true, Cut::kReset);
}

TEST_CASE("a worker that lost its connection in a cut is served soon behind it",
          "[cluster][process][links]") {
  const auto network = CutNetwork::Make({"coordinator", "server-0", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs({.servers = 1, .workers = 1, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(250)}));
  const std::vector<Key> keys = KeysBelow(100);
  const std::vector<float> gradients(keys.size(), -1);
  Must(worker->Push(table, keys, gradients));

  // The connection is lost, and who makes a new one hears nothing at all. The system itself would
  // wait longer and longer before it tries again: from the 11th second to the 19th at the end.
  network->CutBothWays("workers", "server-0", Cut::kReset);
  CHECK(absl::IsDeadlineExceeded(
      worker->Push(table, keys, gradients, {.timeout = std::chrono::milliseconds(300)})));
  network->CutBothWays("workers", "server-0");
  absl::SleepFor(absl::Milliseconds(11500));
  network->Heal();

  const absl::Time healed = absl::Now();
  Must(worker->Push(table, keys, gradients));
  const absl::Duration away = absl::Now() - healed;
  WARN("pushes again " << absl::FormatDuration(away) << " behind the cut");
  CHECK(away < absl::Seconds(5));
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 3));
}

TEST_CASE("a worker cut from the coordinator trains on, but not for longer than its lease",
          "[cluster][process][links]") {
  const auto network = CutNetwork::Make({"coordinator", "server-0", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs(
      {.servers = 1, .workers = 1, .lease_seconds = 5, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = KeysBelow(100);
  const std::vector<float> gradients(keys.size(), -1);
  const absl::Time cut_at = absl::Now();
  network->CutBothWays("workers", "coordinator", Cut::kDrop);

  int acknowledged = 0;
  absl::Status status;
  while (status.ok() && absl::Now() < cut_at + absl::Seconds(20)) {
    status = worker->Push(table, keys, gradients, {.timeout = std::chrono::seconds(5)});
    if (status.ok()) ++acknowledged;
    if (absl::Now() < cut_at + absl::Seconds(1)) CHECK(status.ok());
  }
  WARN("after " << absl::FormatDuration(absl::Now() - cut_at) << ": " << status);
  CHECK(absl::Now() < cut_at + absl::Seconds(14));
  CHECK(test::Says(status, "the coordinator heard nothing of it for longer than its lease"));

  network->Heal();
  // Its rank is free, and the tables have what it was told of.
  std::unique_ptr<Worker> next;
  CHECK(Program::Await(absl::Seconds(20), [&] {
    auto connected = cluster->Connect({.timeout = std::chrono::seconds(1), .rank = 0});
    if (connected.ok()) next = *std::move(connected);
    return next != nullptr;
  }));
  REQUIRE(next != nullptr);
  CHECK(test::Rows(*next, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + acknowledged)));
}

TEST_CASE("a server cut from the coordinator serves on, and is shown as late",
          "[cluster][process][links]") {
  const auto network = CutNetwork::Make({"coordinator", "server-0", "server-1", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs(
      {.servers = 2, .workers = 2, .lease_seconds = 5, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  test::CountedPushes pushes(*cluster, table);
  CHECK(pushes.AwaitMore());

  network->CutBothWays("server-1", "coordinator");
  const auto is_late = [&] {
    const auto status = ReadClusterStatus(programs.address, absl::Seconds(3));
    return status.ok() && std::ranges::any_of(status->members, [](const Member& member) {
             return member.name == "server-1" && member.is_late;
           });
  };
  CHECK(Program::Await(absl::Seconds(10), is_late));
  CHECK(pushes.AwaitMore());
  network->Heal();
  CHECK(Program::Await(absl::Seconds(20), [&] { return !is_late(); }));
  CHECK(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
}

}  // namespace
}  // namespace longtail
