// What a coordinator says of its cluster, for operators.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protocol/cluster_map.h"
#include "protocol/coordination.h"

namespace longtail {

struct ClusterStatus {
  std::string coordinator;                ///< Its address.
  std::string waits_for;                  ///< Whom it waits for; empty: the cluster is formed.
  std::shared_ptr<const ClusterMap> map;  ///< Null until the cluster is formed.
  std::vector<Member> members;            ///< Servers by number, then workers.
  std::uint32_t moves_left = 0;           ///< Of lanes' replicas, to other servers.
  std::vector<LaneLoad> lanes{};          ///< Of those that were heard of: rows a second.
  std::vector<TableStatistics> tables{};  ///< As Heartbeat has them, of all servers.

  /// Formed, and every server and worker was heard within its lease.
  bool is_well() const;
};

/// Asks the coordinator at `place` (as FindCoordinator).
///
/// Errors: as FindCoordinator and Keyring::Open; InvalidArgument (the address, another version of
/// Longtail);
///         DeadlineExceeded naming the address and what a connection to it says.
absl::StatusOr<ClusterStatus> ReadClusterStatus(const std::string& place, absl::Duration timeout);

/// Has the coordinator at `place` write down where lanes are to be; moves_left says how far it is.
/// Repeating it changes nothing.
///
/// Errors: as ReadClusterStatus; what the coordinator refuses with.
absl::Status AskToPlace(const std::string& place, const PlaceLanes& wanted, absl::Duration timeout);

}  // namespace longtail
