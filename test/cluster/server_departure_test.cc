// Servers that are told to end leave: for good if fewer are wanted, else until they come back.
#include "cluster/server_departure.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cluster/counted_pushes.h"
#include "support/scale_api.h"

namespace longtail {
namespace {

using test::Must;
using test::Program;
using test::ProgramCluster;

constexpr absl::Duration kLimit = absl::Seconds(60);

// Of all lanes, as the coordinator knows it.
std::uint32_t Leads(const std::string& address, const std::string& server) {
  const auto status = Must(ReadClusterStatus(address, absl::Seconds(5)));
  const auto member = std::ranges::find(status.members, server, &Member::name);
  return member == status.members.end() ? 0 : member->lanes;
}

bool AwaitLeads(const ProgramCluster& programs, const std::vector<std::uint32_t>& want) {
  return Program::Await(kLimit, [&] {
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (Leads(programs.address, "server-" + std::to_string(i)) != want[i]) return false;
    }
    return true;
  });
}

TEST_CASE("servers follow the number that is wanted while workers push, and totals are exact",
          "[cluster][process][departure]") {
  const std::uint32_t replicas = GENERATE(1U, 2U);
  const bool keeps_log = GENERATE(false, true);
  CAPTURE(replicas, keeps_log);
  test::ScaleApi kubernetes("server");
  kubernetes.Set("2");
  ProgramCluster programs(
      {.servers = 2,
       .keeps_log = keeps_log,
       .replicas = replicas,
       .lanes = 2,
       .serve_words = {"--leave", "50", "--take-share", "--servers-wanted", kubernetes.place()}});
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  test::CountedPushes pushes(*cluster, Must(cluster->CreateTable(test::ExactSpec("t", 4))));

  kubernetes.Set("4");
  programs.AddServer();
  programs.AddServer();
  CHECK(AwaitLeads(programs, {1, 1, 1, 1}));
  CHECK(pushes.AwaitMore());

  kubernetes.Set("2");
  programs.servers[3]->Send(SIGTERM);
  programs.servers[2]->Send(SIGTERM);
  for (const std::size_t i : {3U, 2U}) {
    CHECK(programs.servers[i]->Wait(kLimit) == 0);
    INFO(programs.servers[i]->said());
    CHECK(programs.servers[i]->said().find("info server_has_left server=server-" +
                                           std::to_string(i) + " how=drains") != std::string::npos);
  }
  CHECK(AwaitLeads(programs, {2, 2, 0, 0}));
  CHECK(pushes.AwaitMore());

  // One that is to come back drains nothing: with replicas others lead meanwhile.
  if (replicas > 1 || keeps_log) {
    if (replicas > 1) REQUIRE(programs.AwaitReplicas(kLimit));
    programs.servers[1]->Send(SIGTERM);
    CHECK(programs.servers[1]->Wait(kLimit) == 0);
    CHECK(programs.servers[1]->said().find("server_has_left server=server-1 how=hands_over") !=
          std::string::npos);
    CHECK(Leads(programs.address, "server-0") == (replicas > 1 ? 4 : 2));
    if (replicas > 1) {
      // Nobody waits until its lease is over.
      const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
      const auto gone = std::ranges::find(status.map->servers, "server-1", &ServerEntry::name);
      CHECK(std::ranges::all_of(
          gone->lanes, [](const LaneEntry& lane) { return lane.role == ReplicaRole::kNone; }));
    }
    programs.StartServer(1);
    CHECK(AwaitLeads(programs, {2, 2}));
    CHECK(pushes.AwaitMore());
  }
  pushes.Stop();
  CHECK(pushes.AreExact());

  // Those that went for good are not missed, and come again under their names.
  CHECK(Program::Await(kLimit, [&] {
    const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
    return status.is_well() && status.map->servers.size() == 2;
  }));
  kubernetes.Set("3");
  programs.StartServer(2);
  CHECK(Program::Await(kLimit, [&] {
    const auto status = Must(ReadClusterStatus(programs.address, absl::Seconds(5)));
    const auto member = std::ranges::find(status.members, "server-2", &Member::name);
    return member != status.members.end() && member->lanes + member->follows >= replicas;
  }));
}

TEST_CASE("what hinders a server from leaving is said, and does not keep it",
          "[cluster][process][departure]") {
  const test::ScratchDirectory directory;
  const std::string wanted = directory / "wanted";
  test::WriteWhole(wanted, "0\n");
  const bool is_signalled_twice = GENERATE(false, true);
  ProgramCluster programs(
      {.servers = 1,
       .serve_words = {"--leave", is_signalled_twice ? "600" : "1", "--servers-wanted", wanted}});
  programs.servers[0]->Send(SIGTERM);
  REQUIRE(programs.servers[0]->AwaitText("server_leaves", kLimit));
  if (is_signalled_twice) programs.servers[0]->Send(SIGTERM);
  CHECK(programs.servers[0]->Wait(absl::Seconds(20)) == 0);
  const std::string said = programs.servers[0]->said();
  INFO(said);
  CHECK(said.find("warning server_has_not_left server=server-0 how=drains") != std::string::npos);
  CHECK(said.find(is_signalled_twice ? "ended before it has"
                                     : "no other server has a free place") != std::string::npos);
}

TEST_CASE("a server that cannot learn how many are wanted comes back",
          "[cluster][process][departure]") {
  ProgramCluster programs(
      {.servers = 2,
       .lanes = 2,
       .serve_words = {"--leave", "50", "--servers-wanted", "statefulset://server?account=/nope"}});
  programs.servers[1]->Send(SIGTERM);
  CHECK(programs.servers[1]->Wait(kLimit) == 0);
  const std::string said = programs.servers[1]->said();
  INFO(said);
  CHECK(said.find("warning servers_wanted_unknown server=server-1") != std::string::npos);
  CHECK(said.find("how=hands_over") != std::string::npos);
  CHECK(Leads(programs.address, "server-1") == 2);
}

TEST_CASE("checkpoints end at once, well or by name, while lanes go to and fro under them",
          "[cluster][process][departure]") {
  const test::ScratchDirectory store;
  ProgramCluster programs({.servers = 2, .replicas = 2, .lanes = 2, .store = store.path()});
  RemoteOptions options = programs.remote();
  options.store = store.path();
  const auto cluster = Must(Cluster::Remote(options));
  test::CountedPushes pushes(*cluster, Must(cluster->CreateTable(test::ExactSpec("t", 4))));
  std::atomic<bool> stop = false;
  absl::Duration longest;
  int saved = 0;
  int aborted = 0;
  absl::Status wrong;
  std::thread saving([&] {
    for (int i = 0; !stop; ++i) {
      const absl::Time begin = absl::Now();
      const absl::Status status = cluster->Checkpoint("c" + std::to_string(i)).status();
      longest = std::max(longest, absl::Now() - begin);
      saved += status.ok() ? 1 : 0;
      aborted += absl::IsAborted(status) ? 1 : 0;
      // (One that was given up may go on for a moment, and be in the next one's way.)
      if (!status.ok() && !absl::IsAborted(status) && !absl::IsFailedPrecondition(status)) {
        wrong.Update(status);
      }
    }
  });
  for (std::uint32_t round = 0; round < 20; ++round) {
    absl::SleepFor(absl::Milliseconds(300));  // For those that are to end well.
    for (const std::uint32_t lane : {1U, 2U, 3U, 4U}) {
      programs.Place({.request = 0,
                      .placing = Placing::kMove,
                      .lane = NodeId{lane},
                      .server = (round + lane) % 2 == 0 ? "server-0" : "server-1"},
                     kLimit);
    }
  }
  CHECK(pushes.AwaitMore());
  stop = true;
  saving.join();
  Must(wrong);
  absl::Status last;
  CHECK(Program::Await(kLimit, [&, i = 0]() mutable {
    last = cluster->Checkpoint("last" + std::to_string(++i)).status();
    return last.ok();
  }));
  WARN(saved << " checkpoints were saved and " << aborted << " ended by a move, the longest took "
             << absl::FormatDuration(longest));
  CHECK(saved > 0);
  CHECK(aborted > 0);
  CHECK(longest < absl::Seconds(30));
  pushes.Stop();
  CHECK(pushes.AreExact());
}

}  // namespace
}  // namespace longtail
