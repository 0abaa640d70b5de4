// What a lane has in a checkpoint, however that was saved.
#include "server/lane_rows.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "io/open_store.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"
#include "server/training.h"

namespace longtail::server {
namespace {

using test::Must;

bool Says(const absl::Status& status, const std::string& words) {
  INFO(status.ToString());
  return status.message().find(words) != std::string::npos;
}

// Two tables with some rows, saved as "full" and, with more rows, as the increment "more".
std::map<Key, float> Save(const std::string& store, std::uint32_t partitions) {
  const auto cluster =
      Must(Cluster::Embedded({.lanes = 2, .partitions = partitions, .store = store}));
  const TableId t = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const TableId u = Must(cluster->CreateTable(test::ExactSpec("u", 1)));
  const auto worker = Must(cluster->Connect());
  std::map<Key, float> rows;
  const auto push = [&](TableId table, Key first) {
    std::vector<Key> keys;
    std::vector<float> gradients;
    for (Key key = first; key < first + 300; ++key) {
      keys.push_back(key);
      gradients.push_back(-static_cast<float>(key));
      if (table == t) rows[key] = static_cast<float>(3 + key);
    }
    Must(worker->Push(table, keys, gradients));
  };
  push(t, 0);
  push(u, 7000);
  Must(cluster->Checkpoint("full", {}, {.increments_max = 3}));
  push(t, 500);
  Must(cluster->Checkpoint("more", {}, {.increments_max = 3}));
  return rows;
}

ClusterMap MapOf(std::uint32_t partitions) {
  ClusterMap map;
  map.lanes = {NodeId{4}, NodeId{5}, NodeId{6}};
  for (std::uint32_t p = 0; p < partitions; ++p) map.lane_of.push_back(p % 3);
  // In another order than in the checkpoint, with one that it has not.
  map.tables = {test::ExactSpec("u", 1), test::ExactSpec("new", 1), test::ExactSpec("t", 1)};
  map.rolled_back.checkpoint = "more";
  return map;
}

TEST_CASE("lanes have the rows of a checkpoint, each row one of them, whatever it was saved with",
          "[server][rollback]") {
  const test::ScratchDirectory directory;
  const std::uint32_t saved = GENERATE(2U, 4U, 16U);
  const std::uint32_t partitions = GENERATE(4U, 8U);
  const std::map<Key, float> want = Save(directory.path(), saved);
  const auto store = Must(OpenStore(directory.path()));
  const ClusterMap map = MapOf(partitions);
  std::map<Key, float> got;
  std::size_t others = 0;
  for (std::size_t lane = 0; lane < map.lanes.size(); ++lane) {
    Must(ReadLaneRows(*store, map, map.lanes[lane], [&](const RowBlock& rows) {
      for (std::size_t i = 0; i < rows.keys.size(); ++i) {
        const auto partition = static_cast<std::size_t>(PartitionOf(rows.keys[i], partitions));
        CHECK(map.lane_of[partition] == lane);
        if (rows.table == TableId{2}) CHECK(got.emplace(rows.keys[i], rows.values[i]).second);
        if (rows.table == TableId{0}) ++others;
        CHECK(rows.table != TableId{1});
      }
      return absl::OkStatus();
    }));
  }
  CHECK(got == want);
  CHECK(others == 300);
}

TEST_CASE("a checkpoint that a cluster cannot have is refused", "[server][rollback]") {
  const test::ScratchDirectory directory;
  Save(directory.path(), 4);
  const auto store = Must(OpenStore(directory.path()));
  const auto read = [&](const ClusterMap& map) {
    return ReadLaneRows(*store, map, NodeId{4}, [](const RowBlock&) { return absl::OkStatus(); });
  };
  ClusterMap map = MapOf(4);
  map.tables[2].dim = 2;
  CHECK(absl::IsFailedPrecondition(read(map)));
  CHECK(Says(read(map), "table 't' of the checkpoint: the cluster has one of another spec"));
  map = MapOf(4);
  map.tables.pop_back();
  CHECK(Says(read(map), "table 't' of the checkpoint: the cluster has none of that name"));
  map = MapOf(4);
  map.rolled_back.step = 7;
  CHECK(Says(read(map), "is of step 0: want the one that the cluster was rolled back to"));
  map.rolled_back.checkpoint = "none";
  CHECK(absl::IsNotFound(read(map)));
}

}  // namespace
}  // namespace longtail::server
