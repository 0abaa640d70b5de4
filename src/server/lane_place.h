// A lane's place in a cluster: what it must know of the map.
#pragma once

#include "absl/status/statusor.h"
#include "protocol/cluster_map.h"
#include "server/lane_core.h"

namespace longtail::server {

/// Options of that lane.
///
/// Errors: NotFound if the map has no such lane.
absl::StatusOr<LaneCore::Options> PlaceOfLane(const ClusterMap& map, NodeId lane);

/// The same of a lane without anything, which is what lanes are when a cluster begins: it is of the
/// first epoch, whatever the map's.
absl::StatusOr<LaneCore::Options> PlaceOfEmptyLane(const ClusterMap& map, NodeId lane);

}  // namespace longtail::server
