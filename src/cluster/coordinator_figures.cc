#include "cluster/coordinator_figures.h"

#include <algorithm>
#include <cstdint>

namespace longtail {
namespace {

// Lanes that have fewer replicas that count than they are to have: leader and followers.
std::uint64_t LanesShortOfReplicas(const ClusterMap& map) {
  return static_cast<std::uint64_t>(std::ranges::count_if(map.lanes, [&](NodeId lane) {
    std::uint32_t replicas = 0;
    for (const ServerEntry& server : map.servers) {
      replicas += static_cast<std::uint32_t>(
          std::ranges::count_if(server.lanes, [&](const LaneEntry& entry) {
            return entry.node == lane &&
                   (entry.role == ReplicaRole::kLeader || entry.role == ReplicaRole::kFollower);
          }));
    }
    return replicas < map.replicas;
  }));
}

// What the lane that is asked for most is asked for, as a multiple of the mean; 0: nothing.
double Skew(const std::vector<LaneLoad>& lanes) {
  std::uint64_t sum = 0;
  std::uint64_t most = 0;
  for (const LaneLoad& lane : lanes) {
    sum += lane.rows_pulled + lane.rows_pushed;
    most = std::max(most, lane.rows_pulled + lane.rows_pushed);
  }
  return sum == 0 ? 0
                  : static_cast<double>(most) * static_cast<double>(lanes.size()) /
                        static_cast<double>(sum);
}

}  // namespace

void AddCoordinatorFigures(const ClusterStatus& status, MetricPage& page) {
  page.Gauge("longtail_cluster_formed", "1 once all servers have joined.",
             status.map == nullptr ? 0.0 : 1.0);
  page.Gauge("longtail_cluster_moves_left", "Replicas that are yet to go to other servers.",
             std::uint64_t{status.moves_left});
  std::uint64_t workers = 0;
  std::uint64_t late_workers = 0;
  for (const Member& member : status.members) {
    if (member.kind != MemberKind::kWorker) continue;
    ++workers;
    if (member.is_late) ++late_workers;
  }
  page.Gauge("longtail_cluster_workers", "Workers that have a place.", workers);
  page.Gauge("longtail_cluster_late_workers", "Of them, those silent for longer than their lease.",
             late_workers);
  const auto each = [&](std::string_view name, std::string_view help, auto value_of) {
    for (const Member& member : status.members) {
      if (member.kind != MemberKind::kServer) continue;
      page.Gauge(name, help, value_of(member), {{"server", member.name}});
    }
  };
  each("longtail_cluster_server_late", "1 while a server is silent for longer than its lease.",
       [](const Member& member) { return member.is_late ? 1.0 : 0.0; });
  each("longtail_cluster_server_silent_seconds", "Since a server was last heard.",
       [](const Member& member) { return static_cast<double>(member.silent_ms) / 1000; });
  each("longtail_cluster_server_leads", "Lanes that a server leads.",
       [](const Member& member) { return std::uint64_t{member.lanes}; });
  each("longtail_cluster_server_follows", "Lanes that a server could lead at once.",
       [](const Member& member) { return std::uint64_t{member.follows}; });
  each("longtail_cluster_server_reads", "Lanes that a server answers readers of.",
       [](const Member& member) { return std::uint64_t{member.reads}; });
  each("longtail_cluster_server_resident_bytes", "Resident memory of a server.",
       [](const Member& member) { return member.bytes; });
  if (status.map == nullptr) return;
  const ClusterMap& map = *status.map;
  page.Gauge("longtail_cluster_map_version", "Version of the cluster map.", map.version);
  page.Gauge("longtail_cluster_epoch", "1 more for each rollback of the cluster.", map.epoch);
  page.Gauge("longtail_cluster_lanes", "Lanes.", map.lanes.size());
  page.Gauge("longtail_cluster_lanes_short_of_replicas",
             "Lanes with fewer replicas that could lead than they are to have.",
             LanesShortOfReplicas(map));
  page.Gauge("longtail_cluster_lane_skew_ratio",
             "Rows asked of the busiest lane, as a multiple of the mean; 0: of none.",
             Skew(status.lanes));
}

}  // namespace longtail
