// Who answers for a lane: its leader, or a reader of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

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

/// The server that answers pulls of a lane to the reader of that number: one of those that read, so
/// that many readers spread over them; the leader if none does.
inline std::optional<LaneLeader> FindReader(const ClusterMap& map, NodeId lane,
                                            std::uint32_t reader) {
  std::vector<LaneLeader> readers;
  for (const ServerEntry& server : map.servers) {
    for (const LaneEntry& entry : server.lanes) {
      if (entry.node == lane && entry.role == ReplicaRole::kReader) {
        readers.push_back({&server, &entry});
      }
    }
  }
  if (readers.empty()) return FindLeader(map, lane);
  return readers[reader % readers.size()];
}

/// Whom a process asks: of a reader with a number who FindReader names, else the leader.
inline std::optional<LaneLeader> FindAnswerer(const ClusterMap& map, NodeId lane,
                                              std::optional<std::uint32_t> reader) {
  return reader ? FindReader(map, lane, *reader) : FindLeader(map, lane);
}

/// The number of a lane's leadership; 0 if the map has none.
inline std::uint64_t EpochOf(const ClusterMap& map, NodeId lane) {
  const auto found = std::ranges::find(map.lanes, lane);
  const auto number = static_cast<std::size_t>(found - map.lanes.begin());
  return number < map.lane_epochs.size() ? map.lane_epochs[number] : 0;
}

/// Whether another process leads that lane than before.
inline bool HasNewLeader(const ClusterMap& before, const ClusterMap& now, NodeId lane) {
  const std::optional<LaneLeader> found = FindLeader(now, lane);
  const std::optional<LaneLeader> was = FindLeader(before, lane);
  return found && (!was || was->server->name != found->server->name ||
                   was->server->incarnation != found->server->incarnation);
}

/// Whether for a lane of `now` another process answers than it was.
inline bool HasNewAnswerer(const ClusterMap& before, const ClusterMap& now,
                           std::optional<std::uint32_t> reader = std::nullopt) {
  return std::ranges::any_of(now.lanes, [&](NodeId lane) {
    const std::optional<LaneLeader> found = FindAnswerer(now, lane, reader);
    const std::optional<LaneLeader> was = FindAnswerer(before, lane, reader);
    return found && (!was || was->server->name != found->server->name ||
                     was->server->incarnation != found->server->incarnation);
  });
}

}  // namespace longtail
