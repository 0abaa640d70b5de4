// Loops over clusters whose servers keep logs, wherever those are: servers are killed with -9,
// stand still and come back while workers push, and the sums are exact.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "base/random.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"

namespace longtail::test {

/// As many as LONGTAIL_KILLS says, or `else_kills`.
inline int Kills(int else_kills) {
  const char* const text = std::getenv("LONGTAIL_KILLS");
  return text == nullptr ? else_kills : std::atoi(text);
}

inline void KillAll(ProgramCluster& programs) {
  for (const auto& server : programs.servers) server->Send(SIGKILL);
  for (const auto& server : programs.servers) server->Kill();
}

/// In any order: who comes first must not wait for the others.
inline void StartAll(ProgramCluster& programs, Rng& gen) {
  const auto first = static_cast<std::uint32_t>(gen.Below(programs.servers.size()));
  for (std::uint32_t i = 0; i < programs.servers.size(); ++i) {
    programs.StartServer((first + i) % static_cast<std::uint32_t>(programs.servers.size()));
  }
}

/// One of two servers at a time is killed, and comes back.
inline void KillServersWithLogs(const ProgramCluster::Options& options, int kills) {
  ProgramCluster programs(options);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 4)));
  CountedPushes pushes(*cluster, table);
  Rng gen(7);
  for (int kill = 0; kill < kills; ++kill) {
    CHECK(pushes.AwaitMore());
    const auto victim = static_cast<std::uint32_t>(gen.Below(2));
    programs.servers[victim]->Kill();
    absl::SleepFor(absl::Milliseconds(gen.Below(300)));
    programs.StartServer(victim);
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  WARN(kills << " kills, " << pushes.acknowledged() << " pushes acknowledged, each counted once");
}

/// Of three servers with two replicas of each lane some are killed, or all at once, or stand still.
template <typename Pushes = CountedPushes>
void KillReplicasWithLogs(const ProgramCluster::Options& options, int kills) {
  ProgramCluster programs(options);
  const auto cluster = Must(Cluster::Remote(programs.remote()));
  const TableId table = Must(cluster->CreateTable(Pushes::Spec()));
  Pushes pushes(*cluster, table);
  Rng gen(7);
  int of_all = 0;
  for (int kill = 0; kill < kills; ++kill) {
    CHECK(pushes.AwaitMore());
    const auto victim = static_cast<std::uint32_t>(gen.Below(3));
    switch (kill == 0 ? 0 : gen.Below(4)) {
      case 0:  // Nobody has it in memory any more.
        ++of_all;
        KillAll(programs);
        StartAll(programs, gen);
        break;
      case 1:  // It stands still, is replaced, and wakes as one who leads.
        programs.servers[victim]->Send(SIGSTOP);
        absl::SleepFor(absl::Milliseconds(gen.Below(4000)));
        programs.servers[victim]->Send(SIGCONT);
        break;
      default:
        programs.servers[victim]->Kill();
        absl::SleepFor(absl::Milliseconds(gen.Below(3000)));
        programs.StartServer(victim);
    }
    // Now and then the next one comes before all are whole again.
    if (gen.Below(2) == 0) REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
  }
  CHECK(pushes.AwaitMore());
  pushes.Stop();

  CHECK(pushes.AreExact());
  // So do those have them that follow: each of them leads once.
  for (std::uint32_t i = 0; i < 3; ++i) {
    REQUIRE(programs.AwaitReplicas(absl::Seconds(30)));
    programs.servers[i]->Kill();
    CHECK(pushes.AreExact());
    programs.StartServer(i);
  }
  WARN(kills << " kills and stops, " << of_all << " of all servers at once, "
             << pushes.acknowledged() << " pushes acknowledged, each counted once");
}

}  // namespace longtail::test
