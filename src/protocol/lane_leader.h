// Where a lane's leader is.
#pragma once

#include <algorithm>
#include <optional>

#include "protocol/cluster_map.h"

namespace longtail {

struct LaneLeader {
  const ServerEntry* server = nullptr;  ///< In the map.
  const LaneEntry* entry = nullptr;
};

/// The leader of a lane of the map; none if there is none.
inline std::optional<LaneLeader> FindLeader(const ClusterMap& map, NodeId lane) {
  for (const ServerEntry& server : map.servers) {
    for (const LaneEntry& entry : server.lanes) {
      if (entry.node == lane && entry.role == ReplicaRole::kLeader)
        return LaneLeader{&server, &entry};
    }
  }
  return std::nullopt;
}

/// The number of a lane's leadership; 0 if the map has none.
inline std::uint64_t EpochOf(const ClusterMap& map, NodeId lane) {
  const auto found = std::ranges::find(map.lanes, lane);
  const auto number = static_cast<std::size_t>(found - map.lanes.begin());
  return number < map.lane_epochs.size() ? map.lane_epochs[number] : 0;
}

/// Whether a lane of `now` is led by another process than it was.
inline bool HasNewLeader(const ClusterMap& before, const ClusterMap& now) {
  return std::ranges::any_of(now.lanes, [&](NodeId lane) {
    const std::optional<LaneLeader> leader = FindLeader(now, lane);
    const std::optional<LaneLeader> was = FindLeader(before, lane);
    return leader && (!was || was->server->name != leader->server->name ||
                      was->server->incarnation != leader->server->incarnation);
  });
}

}  // namespace longtail
