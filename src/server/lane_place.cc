#include "server/lane_place.h"

#include "absl/strings/str_cat.h"

namespace longtail::server {

absl::StatusOr<LaneCore::Options> PlaceOfLane(const ClusterMap& map, const std::string& server,
                                              std::uint32_t lane) {
  std::uint32_t number = lane;  // Among all lanes, which are in the order of servers.
  for (const ServerEntry& entry : map.servers) {
    if (entry.name != server) {
      number += static_cast<std::uint32_t>(entry.lanes.size());
      continue;
    }
    if (lane >= entry.lanes.size()) break;
    LaneCore::Options options{.self = entry.lanes[lane].node,
                              .epoch = map.epoch,
                              .step_mode = map.step_mode,
                              .staleness = map.staleness,
                              .worker_count = map.worker_count,
                              .partition_count = static_cast<std::uint32_t>(map.lane_of.size()),
                              .partitions = {}};
    for (std::uint32_t p = 0; p < map.lane_of.size(); ++p) {
      if (map.lane_of[p] == number) options.partitions.push_back(PartitionId{p});
    }
    return options;
  }
  return absl::NotFoundError(
      absl::StrCat("the map has no lane ", lane, " of server '", server, "'"));
}

}  // namespace longtail::server
