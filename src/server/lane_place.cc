#include "server/lane_place.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

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
                            .partitions = {}};
  for (std::uint32_t p = 0; p < map.lane_of.size(); ++p) {
    if (map.lane_of[p] == number) options.partitions.push_back(PartitionId{p});
  }
  return options;
}

}  // namespace longtail::server
