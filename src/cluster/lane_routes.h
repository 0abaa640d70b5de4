// How this process reaches the lanes of a map.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "io/zmq_network.h"
#include "protocol/cluster_map.h"

namespace longtail {

/// The address of a lane for a process on `host`: a socket file where both share the machine and
/// the file is there, else the first.
std::string RouteTo(const ServerEntry& server, const LaneEntry& lane, const std::string& host);

/// Connects `endpoint` to who answers for every lane of the map; `reader` as FindAnswerer has it.
absl::Status ConnectLanes(const ClusterMap& map, const std::string& host,
                          std::optional<std::uint32_t> reader, ZmqEndpoint& endpoint);

/// "server-1's lane 3 at tcp://10.0.0.1:7001", for errors.
std::string DescribeLane(const ClusterMap& map, NodeId lane,
                         std::optional<std::uint32_t> reader = std::nullopt);

}  // namespace longtail
