// Where a lane's leader is.
#pragma once

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

}  // namespace longtail
