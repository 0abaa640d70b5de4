// Hosts that others know by name: a name comes to stand for another address while a cluster runs,
// stands for nothing for a while, and a link becomes slow. What was pushed counts exactly once.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "support/own_names.h"

namespace longtail {
namespace {

using test::CountedPushes;
using test::CutNetwork;
using test::Must;
using test::OwnNames;
using test::Program;
using test::ProgramCluster;
using test::ScratchDirectory;

// The hosts, by name, of a cluster of two servers with logs and one host that nobody is on.
struct NamedHosts {
  NamedHosts()
      : names(OwnNames::Make(directory.path())),
        network(CutNetwork::Make({"coordinator", "server-0", "server-1", "workers", "spare"})) {
    if (!are_there()) return;
    for (const char* const host : {"coordinator", "server-0", "server-1"}) PointTo(host, host);
  }

  bool are_there() const { return names != nullptr && network != nullptr; }

  void PointTo(const std::string& name, const std::string& host) const {
    names->Set(name + ".test", network->AddressOf(host));
  }

  const ScratchDirectory directory;
  const std::unique_ptr<OwnNames> names;
  const std::unique_ptr<CutNetwork> network;
};

TEST_CASE("a server's name comes to stand for another host: all follow it there",
          "[cluster][process][links]") {
  const NamedHosts hosts;
  if (!hosts.are_there()) return;
  const CutNetwork::On on(*hosts.network, "workers");
  ProgramCluster programs({.keeps_log = true, .network = hosts.network.get(), .has_names = true});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  REQUIRE(pushes.AwaitMore());

  programs.servers[0]->Kill();
  hosts.names->Remove("server-0.test");  // For a while it stands for nothing.
  absl::SleepFor(absl::Seconds(1));
  hosts.PointTo("server-0", "spare");
  programs.Move("server-0", "spare");
  programs.StartServer(0);

  CHECK(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
}

TEST_CASE("the coordinator's name comes to stand for another host: all find it there",
          "[cluster][process][links]") {
  const NamedHosts hosts;
  if (!hosts.are_there()) return;
  const CutNetwork::On on(*hosts.network, "workers");
  ProgramCluster programs(
      {.workers = 3, .keeps_log = true, .network = hosts.network.get(), .has_names = true});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  REQUIRE(pushes.AwaitMore());
  const std::string port = programs.address.substr(programs.address.rfind(':'));

  programs.coordinator->Kill();
  hosts.names->Remove("coordinator.test");
  CHECK(pushes.AwaitMore());  // Nobody waits for it.
  hosts.PointTo("coordinator", "spare");
  programs.Move("coordinator", "spare");
  programs.StartCoordinator("tcp://" + hosts.network->AddressOf("spare") + port);

  // Those who were there and those who come find it: a table and a worker are made.
  const bool is_well = Program::Await(absl::Seconds(30), [&] {
    const auto status = ReadClusterStatus(programs.address, absl::Seconds(3));
    return status.ok() && status->is_well();
  });
  CHECK(is_well);
  const TableId second = Must(cluster->CreateTable(test::ExactSpec("second", 1)));
  const auto late = Must(cluster->Connect({}));
  const std::vector<Key> keys = test::KeysBelow(10);
  Must(late->Push(second, keys, std::vector<float>(keys.size(), -1)));
  CHECK(test::Rows(*late, second, keys, 1) == std::vector<float>(keys.size(), 3 + 1));
  CHECK(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
}

TEST_CASE("a server whose link is slow holds up what it has, and nothing is lost",
          "[cluster][process][links]") {
  const auto network = CutNetwork::Make({"coordinator", "server-0", "server-1", "workers"});
  if (network == nullptr || !network->Slow("server-0", 0)) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs({.lease_seconds = 5, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  REQUIRE(pushes.AwaitMore());

  // (A push has 1 KiB for it, which takes it 60 ms, and what two workers send at once is more than
  // its queue holds: packets are lost all the while.)
  REQUIRE(network->Slow("server-0", 128));
  const int before = pushes.acknowledged();
  const absl::Time begin = absl::Now();
  CHECK(pushes.AwaitMore());
  CHECK(pushes.AwaitMore());
  const double slow = (pushes.acknowledged() - before) / absl::ToDoubleSeconds(absl::Now() - begin);
  // Longer than the lease: who is slow is not taken for dead.
  absl::SleepFor(begin + absl::Seconds(8) - absl::Now());
  const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(10)));
  CHECK(status.is_well());
  REQUIRE(network->Slow("server-0", 0));
  CHECK(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
  CHECK(programs.servers[0]->said().find("place_lost") == std::string::npos);
  WARN(slow << " pushes a second over 128 kbit/s, " << pushes.acknowledged() << " in all");
}

}  // namespace
}  // namespace longtail
