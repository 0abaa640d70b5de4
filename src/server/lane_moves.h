// Moves of replicas between servers: what an operator wants becomes a list of moves, and the list
// becomes changes of the map, one after another as the replicas get there.
//
//   a move      the target joins the lane, follows, and leads if the source does: that stops taking
//               changes until the target has all (ReplicaRole::kSuccessor). Then the source has
//               nothing of the lane any more
//   a handover  the same, of a target that follows already, and the source follows on
//
// Threads: none of its own; the coordinator's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/coordination.h"
#include "protocol/coordinator_state.h"
#include "server/replica_places.h"

namespace longtail::server {

/// Moves that are under way at a time; the others wait.
inline constexpr std::size_t kMovesAtOnce = 2;

/// The moves that bring a lane's leader to a server: one, or none if it is there.
///
/// Errors: NotFound (lane, server); ResourceExhausted (no free place there).
absl::StatusOr<std::vector<LaneMove>> PlanMove(const ClusterMap& map, NodeId lane,
                                               const std::string& server);

/// Those after which a server has nothing.
///
/// Errors: NotFound; ResourceExhausted naming the lane for which no other server has a place.
absl::StatusOr<std::vector<LaneMove>> PlanDrain(const ClusterMap& map, const std::string& server);

/// Nothing moves to a server of the map any more.
void MarkDrained(ClusterMap& map, const std::string& server);

/// Those after which, where places allow it, no server has two replicas more than another, and no
/// handover, move or exchange of lanes would take more than a tenth of the mean from the server
/// whose lanes are asked for the most. (`loads`: rows a second, of lanes of which that is known.)
/// As long as nothing is asked for: none leads two lanes more than another.
std::vector<LaneMove> PlanRebalance(const ClusterMap& map, const std::vector<LaneLoad>& loads = {});

/// The map as it is once all moves are done.
ClusterMap AfterMoves(ClusterMap map, const std::vector<LaneMove>& moves);

/// Takes the next steps, and moves that are done off the list. Nothing goes to a server that is not
/// heard. Whether anything changed; the map's version is not touched.
bool AdvanceMoves(ClusterMap& map, std::vector<LaneMove>& moves, const Hearing& hearing);

/// Takes off the list what has not begun: what is under way ends.
void CancelMoves(const ClusterMap& map, std::vector<LaneMove>& moves);

/// Takes servers off the map that have nothing and are not heard.
bool ForgetServers(ClusterMap& map, const Hearing& hearing);

/// Forgets servers that only read and are silent. Whether the map changed.
bool ForgetReaders(ClusterMap& map, const Hearing& hearing);

}  // namespace longtail::server
