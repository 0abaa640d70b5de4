#include "cluster/cluster_status.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cluster/coordinator_link.h"
#include "cluster/coordinator_place.h"
#include "io/zmq_network.h"

namespace longtail {

bool ClusterStatus::is_well() const {
  return map != nullptr && waits_for.empty() && std::ranges::none_of(members, &Member::is_late);
}

absl::StatusOr<ClusterStatus> ReadClusterStatus(const std::string& place, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  ClusterStatus status;
  LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace at, FindCoordinator(place));
  status.coordinator = at.address;
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keys, at.OpenKeys());
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.keys = keys}));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorLink> link,
                            CoordinatorLink::Open(*network, status.coordinator, Log{}));
  LONGTAIL_ASSIGN_OR_RETURN(
      MembersReply members,
      link->Ask<MembersReply>("cluster status", timeout,
                              [](std::uint64_t request) { return MembersRequest{request}; }));
  status.waits_for = std::move(members.waits_for);
  status.members = std::move(members.members);
  status.moves_left = members.moves_left;
  status.lanes = std::move(members.lanes);
  status.tables = std::move(members.tables);
  LONGTAIL_ASSIGN_OR_RETURN(
      const MapReply map,
      link->Ask<MapReply>("cluster map", deadline - absl::Now(),
                          [](std::uint64_t request) { return MapRequest{request}; }));
  status.map = map.map;
  return status;
}

absl::Status AskToPlace(const std::string& place, const PlaceLanes& wanted,
                        absl::Duration timeout) {
  LONGTAIL_ASSIGN_OR_RETURN(const CoordinatorPlace at, FindCoordinator(place));
  LONGTAIL_ASSIGN_OR_RETURN(const std::shared_ptr<Keyring> keys, at.OpenKeys());
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<ZmqNetwork> network,
                            ZmqNetwork::Create({.keys = keys}));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorLink> link,
                            CoordinatorLink::Open(*network, at.address, Log{}));
  return link
      ->Ask<Acknowledgement>("placing lanes", timeout,
                             [&](std::uint64_t request) {
                               PlaceLanes message = wanted;
                               message.request = request;
                               return message;
                             })
      .status();
}

}  // namespace longtail
