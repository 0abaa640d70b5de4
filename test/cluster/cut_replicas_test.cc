// Links of servers with replicas are cut: to the follower, to the coordinator, to both, to workers.
// What was acknowledged is there in the end, each push once, and a leader that was cut off and
// replaced acknowledges nothing.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "protocol/cluster_map.h"
#include "protocol/lane_leader.h"

namespace longtail {
namespace {

using test::CountedPushes;
using test::CutNetwork;
using test::KeysBelow;
using test::Must;
using test::Program;
using test::ProgramCluster;
using Cut = CutNetwork::Cut;

std::string Name(std::uint64_t server) {
  return absl::StrCat("server-", server);
}

// Waits until the coordinator hears all servers as often as in peace. (Behind a cut the system
// sends what was lost again only after a while; who is killed while another is still taken for dead
// takes rows along, with two replicas.)
bool AwaitPulses(const ProgramCluster& programs) {
  return Program::Await(absl::Seconds(40), [&] {
    const auto status = ReadClusterStatus(programs.address, absl::Seconds(3));
    return status.ok() && std::ranges::all_of(status->members, [](const Member& member) {
             return member.kind != MemberKind::kServer || member.silent_ms < 600;
           });
  });
}

// One event of the loop: what is done to one of three servers.
class Trouble {
 public:
  Trouble(CutNetwork& network, ProgramCluster& programs, Rng& gen)
      : network_(network),
        programs_(programs),
        gen_(gen),
        victim_(static_cast<std::uint32_t>(gen.Below(3))) {}

  std::uint32_t victim() const { return victim_; }

  /// Does it, and undoes what can be undone; says what it was.
  std::string MakeAndMend() {
    const std::uint64_t kind = gen_.Below(7);
    switch (kind) {
      case 0:
        return Kill("kill");
      case 1:
        programs_.servers[victim_]->Send(SIGSTOP);
        Pause();
        programs_.servers[victim_]->Send(SIGCONT);
        return "stop";
      case 2:
        CutFrom(Name((victim_ + 1 + gen_.Below(2)) % 3));
        break;
      case 3:
        CutFrom("coordinator");
        break;
      case 4:
        CutFromAll();
        break;
      case 5:
        CutFrom("workers");
        break;
      default:
        CutFromAll();
        Pause();
        return Kill("cut off and killed");
    }
    Pause();
    network_.Heal();
    constexpr std::array<const char*, 4> kWhat = {"cut from a server", "cut from the coordinator",
                                                  "cut from both", "cut from workers"};
    return kWhat[kind - 2];
  }

 private:
  void Pause() { absl::SleepFor(absl::Milliseconds(gen_.Below(4000))); }

  void CutFrom(const std::string& other) {
    const Cut how = gen_.Below(3) == 0 ? Cut::kReset : Cut::kDrop;
    const std::uint64_t ways = gen_.Below(4);
    if (ways != 0) network_.CutOneWay(Name(victim_), other, how);
    if (ways != 1) network_.CutOneWay(other, Name(victim_), how);
  }
  // But not from workers, which still find a leader there.
  void CutFromAll() {
    CutFrom("coordinator");
    CutFrom(Name((victim_ + 1) % 3));
    CutFrom(Name((victim_ + 2) % 3));
  }
  std::string Kill(const char* what) const {
    programs_.servers[victim_]->Kill();
    absl::SleepFor(absl::Milliseconds(gen_.Below(300)));
    network_.Heal();
    programs_.StartServer(victim_);
    return what;
  }

  CutNetwork& network_;
  ProgramCluster& programs_;
  Rng& gen_;
  const std::uint32_t victim_;
};

TEST_CASE("servers with replicas are cut off, killed and stopped again and again: totals are exact",
          "[cluster][process][replica][links]") {
  const auto network =
      CutNetwork::Make({"coordinator", "server-0", "server-1", "server-2", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  const char* const text = std::getenv("LONGTAIL_KILLS");
  const int events = text == nullptr ? 3 : std::atoi(text);
  ProgramCluster programs({.servers = 3,
                           .workers = 2,
                           .keeps_log = GENERATE(false, true),
                           .replicas = 2,
                           .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  Rng gen(7);
  absl::Duration longest;
  for (int event = 0; event < events; ++event) {
    CHECK(pushes.AwaitMore());
    Trouble trouble(*network, programs, gen);
    CAPTURE(event, trouble.victim());
    const std::string what = trouble.MakeAndMend();
    CAPTURE(what);
    const absl::Time mended = absl::Now();
    REQUIRE(AwaitPulses(programs));
    REQUIRE(programs.AwaitReplicas(absl::Seconds(40)));
    longest = std::max(longest, absl::Now() - mended);
    if (text != nullptr) {
      WARN(event << ": server-" << trouble.victim() << " " << what << ", " << absl::Now() - mended);
    }
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  // So do those have them that follow: each of them leads once. (In the short version, some do.)
  const std::uint32_t killed = text == nullptr ? 1 : 3;
  for (std::uint32_t i = 0; i < killed; ++i) {
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
    programs.servers[i]->Kill();
    CHECK(pushes.AreExact());
    programs.StartServer(i);
  }
  WARN(events << " cuts, kills and stops, " << pushes.acknowledged()
              << " pushes acknowledged, each counted once; all in sync again at the latest "
              << absl::FormatDuration(longest) << " behind");
}

// The keys below `end` of the lanes that a server leads.
std::vector<Key> KeysLedBy(const ClusterMap& map, const std::string& server, Key end) {
  std::vector<Key> keys;
  for (const Key key : KeysBelow(end)) {
    const auto partition = static_cast<std::uint32_t>(
        PartitionOf(key, static_cast<std::uint32_t>(map.lane_of.size())));
    const std::optional<LaneLeader> leader = FindLeader(map, map.lanes[map.lane_of[partition]]);
    if (leader && leader->server->name == server) keys.push_back(key);
  }
  return keys;
}

TEST_CASE("a leader that is cut off with its worker acknowledges nothing",
          "[cluster][process][replica][links]") {
  const auto network =
      CutNetwork::Make({"coordinator", "server-0", "server-1", "server-2", "workers", "islander"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs({.servers = 3, .workers = 2, .replicas = 2, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(300)}));
  std::unique_ptr<Cluster> island;
  std::unique_ptr<Worker> islander;
  {
    const CutNetwork::On there(*network, "islander");
    island = Must(Cluster::Remote(programs.remote()));
    islander = Must(island->Connect({.retry_after = std::chrono::milliseconds(300)}));
  }
  const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(3)));
  const std::vector<Key> keys = KeysLedBy(*status.map, "server-0", 300);
  REQUIRE(!keys.empty());
  const std::vector<float> gradients(keys.size(), -1);
  Must(worker->Push(table, keys, gradients));
  Must(islander->Push(table, keys, gradients));

  // server-0 and the islander hear each other and nobody else.
  for (const char* const here : {"server-0", "islander"}) {
    for (const char* const there : {"coordinator", "server-1", "server-2", "workers"}) {
      network->CutBothWays(here, there);
    }
  }
  const absl::Time cut_at = absl::Now();
  int late = 0;
  while (absl::Now() < cut_at + absl::Seconds(5)) {
    const absl::Time before = absl::Now();
    const absl::Status outcome =
        islander->Push(table, keys, gradients, {.timeout = std::chrono::milliseconds(500)});
    CHECK(absl::IsDeadlineExceeded(outcome));
    CHECK(absl::Now() - before < absl::Seconds(3));
    ++late;
  }
  // The others have another leader by now.
  const absl::Time before = absl::Now();
  Must(worker->Push(table, keys, gradients, {.timeout = std::chrono::seconds(5)}));
  CHECK(absl::Now() - before < absl::Seconds(3));
  network->Heal();
  CHECK(programs.AwaitReplicas(absl::Seconds(40)));

  // The islander's pushes come through now, each once.
  const std::vector<float> want(keys.size(), static_cast<float>(3 + 3 + late));
  CHECK(Program::Await(absl::Seconds(30),
                       [&] { return test::Rows(*worker, table, keys, 1) == want; }));
  Must(islander->Push(table, keys, gradients));
  CHECK(test::Rows(*worker, table, keys, 1) ==
        std::vector<float>(keys.size(), static_cast<float>(3 + 4 + late)));
  WARN(late << " pushes to a leader on an island: none acknowledged, each counted once behind it");
}

TEST_CASE("a leader that is cut from its follower alone goes on without it",
          "[cluster][process][replica][links]") {
  const auto network =
      CutNetwork::Make({"coordinator", "server-0", "server-1", "server-2", "workers"});
  if (network == nullptr) return;
  const CutNetwork::On on(*network, "workers");
  ProgramCluster programs({.servers = 3, .workers = 2, .replicas = 2, .network = network.get()});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(test::ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  CHECK(pushes.AwaitMore());

  // server-1 follows the lane of server-0. Both ways; and what that says alone, so that it is asked
  // all the while.
  for (const bool both_ways : {true, false}) {
    CAPTURE(both_ways);
    network->CutOneWay("server-0", "server-1");
    if (both_ways) network->CutOneWay("server-1", "server-0");
    const absl::Time cut_at = absl::Now();
    CHECK(pushes.AwaitMore());
    const absl::Duration away = absl::Now() - cut_at;
    CHECK(away < absl::Seconds(10));
    CHECK(pushes.AwaitMore());
    WARN("pushes go on " << absl::FormatDuration(away) << " behind the cut");
    network->Heal();
    CHECK(programs.AwaitReplicas(absl::Seconds(40)));
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();
  CHECK(pushes.AreExact());
  // Who was gone on without has all of it again.
  programs.servers[0]->Kill();
  CHECK(pushes.AreExact());
}

}  // namespace
}  // namespace longtail
