// What a lane learns of a map.
#include "server/lane_place.h"

#include <catch2/catch.hpp>

namespace longtail::server {
namespace {

TEST_CASE("a lane has the partitions and the number that the map gives it", "[server][lane]") {
  ClusterMap map;
  map.epoch = 4;
  map.step_mode = StepMode::kBoundedStaleness;
  map.staleness = 3;
  map.worker_count = 5;
  map.lanes = {NodeId{1}, NodeId{2}, NodeId{3}};
  map.lane_of = {0, 1, 1, 2};

  const LaneCore::Options options = PlaceOfLane(map, NodeId{2}).value();

  CHECK(options.self == NodeId{2});
  CHECK(options.epoch == 4);
  CHECK(options.step_mode == StepMode::kBoundedStaleness);
  CHECK(options.staleness == 3);
  CHECK(options.worker_count == 5);
  CHECK(options.partition_count == 4);
  CHECK(options.partitions == std::vector<PartitionId>{PartitionId{1}, PartitionId{2}});
  CHECK(PlaceOfLane(map, NodeId{3})->partitions == std::vector<PartitionId>{PartitionId{3}});
  CHECK(absl::IsNotFound(PlaceOfLane(map, NodeId{4}).status()));
}

}  // namespace
}  // namespace longtail::server
