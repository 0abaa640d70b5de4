#include "server/lane_place.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace longtail::server {

absl::StatusOr<LaneCore::Options> PlaceOfLane(const ClusterMap& map, const std::string& server,
                                              std::uint32_t lane) {
  const auto entry = std::ranges::find(map.servers, server, &ServerEntry::name);
  if (entry != map.servers.end() && lane < entry->lanes.size()) {
    const NodeId node = entry->lanes[lane].node;
    const auto number = std::ranges::find(map.lanes, node) - map.lanes.begin();
    LaneCore::Options options{.self = node,
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
