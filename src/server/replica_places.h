// Who leads and who follows a lane: how the coordinator changes that in its map.
//
//   formed     server s leads its own lanes; those of server s - r have their r-th follower there
//   silent     of its lanes each goes to a follower that is heard; what it followed goes on
//   without,
//              if the leader was heard since: else that may be dead, and the follower the last
//              that has all
//   stuck      a follower that its leader does not reach, though both are heard, joins again
//   heard of   it joins what it had a place in; once a leader counts it, it is a follower
//
// A lane in its first epoch stays as it is until who is to lead it has had a map: who first saw one
// of a later epoch would take itself for a server that lost the lane.
// A lane whose followers are all silent, too, waits for whoever of them, or its leader, comes back.
//
// Threads: none of its own; the coordinator's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protocol/cluster_map.h"
#include "protocol/coordination.h"

namespace longtail::server {

/// Gives lanes to the places of the servers, which are sorted by name, for map.replicas > 1. Needs
/// as many servers, and as many places in each as CheckPlaces wants.
void FormReplicas(ClusterMap& map);

/// What a server that is about to join must have.
///
/// Errors: InvalidArgument, unless its number of places is a multiple of `replicas`.
absl::Status CheckPlaces(const ServerEntry& server, std::uint32_t replicas);

/// When servers were last heard.
struct Hearing {
  absl::FunctionRef<absl::Time(const ServerEntry& server)> at;
  /// The version of the newest map that it has.
  absl::FunctionRef<std::uint64_t(const ServerEntry& server)> version;
  absl::Time now;
  absl::Duration lease;  ///< Who is silent for so long is not counted on.
  /// Since the cluster was formed: who has no version then has not had a map.
  bool from_the_first = false;

  bool IsHeard(const ServerEntry& server) const { return now < at(server) + lease; }
};

/// Goes on without servers that are silent, and has those heard again join. Whether the map
/// changed; its version is not touched.
bool FollowSilence(ClusterMap& map, const Hearing& hearing);

/// Puts a process of the same name into the place of one that ended. It has nothing, unless it has
/// the log of that: then it goes on in its places.
///
/// Errors: FailedPrecondition, and no change, if it has nothing and the one that ended led a lane
/// of
///         which no other server that is heard has all; InvalidArgument (another number of places).
absl::Status ReplaceServer(ClusterMap& map, const ServerEntry& server, const Hearing& hearing);

/// The leader of a lane counts what the server has of it; or it is the leader that says so, of its
/// successor. Whether the map changed.
bool TakeFollower(ClusterMap& map, const std::string& server, NodeId lane, std::uint64_t epoch);

/// Has a lane's leader go on without a replica that it waits for in vain; that joins again, once it
/// gets on. Whether the map changed.
bool GiveUpReplica(ClusterMap& map, const std::string& leader, const StuckReplica& stuck);

/// Whether it only reads: it has a reader of each lane, and no part in anything else.
bool IsReader(const ServerEntry& server);

/// Places of a server with that role.
std::uint32_t CountRole(const ServerEntry& server, ReplicaRole role);

}  // namespace longtail::server
