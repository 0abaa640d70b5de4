#include "server/lane_place.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::server {

absl::StatusOr<LaneCore::Options> PlaceOfLane(const ClusterMap& map, NodeId lane) {
  const auto found = std::ranges::find(map.lanes, lane);
  if (found == map.lanes.end()) {
    return absl::NotFoundError(
        absl::StrCat("the map has no lane ", static_cast<std::uint32_t>(lane)));
  }
  const auto number = static_cast<std::uint32_t>(found - map.lanes.begin());
  LaneCore::Options options{.self = lane,
                            .epoch = map.epoch,
                            .step_mode = map.step_mode,
                            .staleness = map.staleness,
                            .worker_count = map.worker_count,
                            .partition_count = static_cast<std::uint32_t>(map.lane_of.size()),
                            .partitions = {},
                            .rolled_back = map.rolled_back};
  for (std::uint32_t p = 0; p < map.lane_of.size(); ++p) {
    if (map.lane_of[p] == number) options.partitions.push_back(PartitionId{p});
  }
  return options;
}

absl::StatusOr<LaneCore::Options> PlaceOfEmptyLane(const ClusterMap& map, NodeId lane) {
  LONGTAIL_ASSIGN_OR_RETURN(LaneCore::Options options, PlaceOfLane(map, lane));
  options.epoch = kFirstEpoch;
  options.rolled_back = {};
  return options;
}

}  // namespace longtail::server
