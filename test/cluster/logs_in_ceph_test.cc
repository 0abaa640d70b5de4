// Servers whose logs are in Ceph: they are killed with -9, stand still until another has taken
// their name and their logs over, and write while Ceph's own OSD is killed or its pool is full.
// What was acknowledged is there, once.
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "cluster/killed_logs.h"
#include "io/open_store.h"
#include "io/rados_operation.h"
#include "io/rados_pool.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::CephNode;
using test::CountedPushes;
using test::Must;
using test::Program;
using test::ProgramCluster;
using test::StorePlace;

constexpr const char* kLease = "lease=2";

// How long a server may take to find that it has lost its logs.
constexpr absl::Duration kNotice = absl::Seconds(30);

ProgramCluster::Options Logged(const StorePlace& place) {
  return {.servers = 2, .workers = 2, .keeps_log = true, .log = place.With(kLease)};
}

TEST_CASE("servers with logs are killed again and again while two workers push: totals are exact",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  ProgramCluster::Options options = Logged(*place);
  options.writes_bases = GENERATE(false, true);
  test::KillServersWithLogs(options, test::Kills(3));
}

TEST_CASE("servers with replicas and logs are killed, all at once, too: totals are exact",
          "[cluster][process][replica]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  test::KillReplicasWithLogs({.servers = 3,
                              .workers = 2,
                              .keeps_log = true,
                              .log = place->With(kLease),
                              .writes_bases = GENERATE(false, true),
                              .replicas = 2},
                             test::Kills(4));
}

TEST_CASE("a server that stands still while another takes its logs over ends: totals are exact",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::uint32_t replicas = GENERATE(1U, 2U);
  const int takings = test::Kills(3);
  ProgramCluster::Options options = Logged(*place);
  options.writes_bases = true;
  options.replicas = replicas;
  ProgramCluster programs(options);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  Rng gen(3);
  int taken = 0;
  for (int i = 0; i < takings; ++i) {
    CHECK(pushes.AwaitMore());
    const auto victim = static_cast<std::uint32_t>(gen.Below(2));
    programs.servers[victim]->Send(SIGSTOP);
    const auto old = programs.StartSuccessor(victim);
    Program& successor = *programs.servers[victim];
    // It wakes before its lease is over, while it is taken over from, or behind that.
    absl::SleepFor(absl::Milliseconds(1000 + gen.Below(2500)));
    old->Send(SIGCONT);
    const bool has_taken = Program::Await(kNotice, [&] {
      return successor.said().find("server_serves") != std::string::npos ||
             successor.said().find("in use by another") != std::string::npos;
    });
    INFO("successor: " << successor.said() << "\nold: " << old->said());
    REQUIRE(has_taken);
    if (successor.said().find("server_serves") == std::string::npos) {
      CHECK(successor.Wait(kNotice) == 1);
      old->Kill();
      programs.StartServer(victim);
      continue;
    }
    ++taken;
    CHECK(old->Wait(kNotice) == 1);
    CHECK(old->said().find("log_lost") != std::string::npos);
    CHECK(old->said().find("server_ends") != std::string::npos);
    if (replicas > 1) REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  test::KillAll(programs);
  test::StartAll(programs, gen);
  CHECK(pushes.AreExact());
  WARN(taken << " of " << takings << " taken over, " << pushes.acknowledged()
             << " pushes acknowledged, each counted once");
}

TEST_CASE("a server whose logs were taken over unseen asks before it joins again, and ends",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  // (A lease so long that it is no lock that tells it.)
  ProgramCluster::Options options = Logged(*place);
  options.log = place->With("lease=600");
  ProgramCluster programs(options);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  const std::vector<Key> keys = test::KeysBelow(200);
  const std::vector<float> gradients(keys.size(), -1);
  Must(worker->Push(table, keys, gradients));
  {
    const auto pool = Must(RadosPool::Connect(Must(ParseRadosAddress(place->address()))));
    RadosWrite removal;
    removal.Remove();
    removal.Start(*pool, "server-server-0~lock");
    REQUIRE(removal.Wait() == 0);
  }
  // Nobody pushes, so it writes nothing that would be refused.
  const auto old = programs.StartSuccessor(0);
  REQUIRE(programs.servers[0]->AwaitText("server_serves", absl::Seconds(30)));

  CHECK(old->Wait(kNotice) == 1);
  CHECK(old->said().find("log_lost") != std::string::npos);
  CHECK(old->said().find("another one has taken 'server-0/' over") != std::string::npos);
  absl::SleepFor(absl::Seconds(1));
  CHECK(programs.servers[0]->said().find("place_lost") == std::string::npos);
  Must(worker->Push(table, keys, gradients));
  CHECK(test::Rows(*worker, table, keys, 1) == std::vector<float>(keys.size(), 3 + 2));
}

TEST_CASE("an OSD is killed while servers log: pushes wait, and the log says why",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  ProgramCluster::Options options = Logged(*place);
  options.log = place->With("lease=2&timeout=2");
  options.writes_bases = GENERATE(false, true);
  options.workers = 3;
  ProgramCluster programs(options);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  const auto says = [&](const std::string& text) {
    return programs.servers[0]->AwaitText(text, absl::Seconds(30)) &&
           programs.servers[1]->AwaitText(text, absl::Seconds(30));
  };
  // A push of zeros to all keys gives both servers something to write: those who count pushes may
  // both wait for one server, and then the other one writes nothing and has nothing to say.
  const auto another = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(500)}));
  const std::vector<Key> keys = test::KeysBelow(500);
  const std::vector<float> zeros(4 * keys.size(), 0);
  KeyBatch batch;
  Must(another->Prepare(table, keys, batch));
  const PushItem item{.keys = &batch, .gradients = zeros};
  Must(another->Push({&item, 1}));
  Pending late;
  CHECK(pushes.AwaitMore());
  {
    const CephNode::Away osd("osd.0");
    absl::SleepFor(absl::Milliseconds(100));  // What was durable by then is acknowledged.
    const int before = pushes.acknowledged();
    late = another->PushAsync({&item, 1});
    CHECK(says("log_not_written"));
    CHECK(pushes.acknowledged() == before);
    CHECK(programs.servers[0]->said().find("no answer within 2 s: the monitors answer and have") !=
          std::string::npos);
    CHECK(programs.servers[0]->said().find("segment=server-0/lane-") != std::string::npos);
  }
  CHECK(says("log_written_again"));
  Must(late.Wait());
  CHECK(pushes.AwaitMore());
  {  // Not for so long that anybody hears of it.
    const CephNode::Away osd("osd.0");
    absl::SleepFor(absl::Milliseconds(500));
  }
  CHECK(pushes.AwaitMore());
  {  // Nobody waits for monitors.
    const CephNode::Away monitor("mon.a");
    CHECK(pushes.AwaitMore());
  }
  pushes.Stop();

  CHECK(pushes.AreExact());
  Rng gen(1);
  test::KillAll(programs);
  test::StartAll(programs, gen);
  CHECK(pushes.AreExact());
}

TEST_CASE("a pool that is over its quota holds pushes up until there is room",
          "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const std::string own = place->described().substr(place->described().rfind('/'));
  const std::string address = "rados://small" + own + CephNode::Options() + "&lease=2&timeout=10";
  {
    ProgramCluster programs({.servers = 2, .workers = 2, .keeps_log = true, .log = address});
    const auto cluster = Must(Cluster::Remote(programs.remote()));
    const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
    CountedPushes pushes(*cluster, table);
    CHECK(pushes.AwaitMore());

    REQUIRE(CephNode::Do("quota small 100000"));
    const std::string why = "has reached its quota";
    const bool is_held = programs.servers[0]->AwaitText(why, absl::Seconds(30)) &&
                         programs.servers[1]->AwaitText(why, absl::Seconds(30));
    absl::SleepFor(absl::Milliseconds(100));
    const int before = pushes.acknowledged();
    absl::SleepFor(absl::Seconds(1));
    const int held = pushes.acknowledged();
    // One that ends meanwhile comes back: that takes no room.
    programs.servers[1]->Kill();
    programs.StartServer(1);
    REQUIRE(CephNode::Do("quota small 0"));
    CHECK(pushes.AwaitMore());
    pushes.Stop();

    CHECK(is_held);
    CHECK(held == before);
    CHECK(pushes.AreExact());
    Rng gen(1);
    test::KillAll(programs);
    test::StartAll(programs, gen);
    CHECK(pushes.AreExact());
  }
  const auto store = Must(OpenStore(address));
  for (const std::string& name : Must(store->List(""))) Must(store->Remove(name));
}

TEST_CASE("where logs cannot be is told, and where they can", "[cluster][process]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto refused = [](const std::string& log) {
    return test::RunProgram({LONGTAIL_PROGRAM, "serve", "--coordinator", "tcp://127.0.0.1:1",
                             "--name", "s", "--log", log});
  };
  const test::Outcome none = refused("rados://nowhere/a" + CephNode::Options());
  CHECK(none.code == 1);
  CHECK(none.said.find("no pool 'nowhere'") != std::string::npos);
  const test::Outcome etcd = refused("etcd://127.0.0.1:1/a");
  CHECK(etcd.code == 1);
  CHECK(etcd.said.find("want a directory, file:DIRECTORY or rados://POOL[/NAMESPACE]") !=
        std::string::npos);
}

}  // namespace
}  // namespace longtail
