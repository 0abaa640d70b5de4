// A lane's place in a cluster: what it must know of the map.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "protocol/cluster_map.h"
#include "server/lane_core.h"

namespace longtail::server {

/// Options of the lane that is number `lane` of the server of that name.
///
/// Errors: NotFound if the map has no such lane.
absl::StatusOr<LaneCore::Options> PlaceOfLane(const ClusterMap& map, const std::string& server,
                                              std::uint32_t lane);

}  // namespace longtail::server
