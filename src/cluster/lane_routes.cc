#include "cluster/lane_routes.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "protocol/lane_leader.h"

namespace longtail {
namespace {

constexpr char kIpc[] = "ipc://";

}  // namespace

std::string RouteTo(const ServerEntry& server, const LaneEntry& lane, const std::string& host) {
  if (server.host == host) {
    for (const std::string& address : lane.addresses) {
      if (!address.starts_with(kIpc)) continue;
      if (access(address.c_str() + sizeof(kIpc) - 1, R_OK | W_OK) == 0) return address;
    }
  }
  return lane.addresses.empty() ? std::string() : lane.addresses[0];
}

absl::Status ConnectLanes(const ClusterMap& map, const std::string& host,
                          std::optional<std::uint32_t> reader, ZmqEndpoint& endpoint) {
  for (const NodeId lane : map.lanes) {
    const std::optional<LaneLeader> found = FindAnswerer(map, lane, reader);
    if (!found) continue;
    LONGTAIL_RETURN_IF_ERROR(endpoint.Connect(lane, RouteTo(*found->server, *found->entry, host)));
  }
  return absl::OkStatus();
}

std::string DescribeLane(const ClusterMap& map, NodeId node, std::optional<std::uint32_t> reader) {
  const std::optional<LaneLeader> leader = FindAnswerer(map, node, reader);
  if (!leader) return absl::StrCat("lane ", static_cast<std::uint32_t>(node));
  const std::vector<std::string>& addresses = leader->entry->addresses;
  return absl::StrCat("server '", leader->server->name, "' (lane ",
                      static_cast<std::uint32_t>(node), addresses.empty() ? "" : " at ",
                      addresses.empty() ? "" : addresses[0], ")");
}

}  // namespace longtail
