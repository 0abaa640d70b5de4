// The rows of a checkpoint on their way to the lanes of a cluster.
#include "server/row_import.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "io/loopback.h"
#include "io/open_store.h"
#include "server/checkpoint_reader.h"
#include "server/cluster_control.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"
#include "server/training.h"

namespace longtail::server {
namespace {

using test::Must;

using Rows = std::map<Key, float>;

// A table "t" with some rows, saved as "full" and, with more and other rows, as "more".
Rows Save(const std::string& store, std::uint32_t partitions) {
  const auto cluster =
      Must(Cluster::Embedded({.lanes = 2, .partitions = partitions, .store = store}));
  const TableId other = Must(cluster->CreateTable(test::ExactSpec("other", 1)));
  const TableId t = Must(cluster->CreateTable(test::ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  Rows rows;
  const auto push = [&](TableId table, Key first) {
    std::vector<Key> keys;
    std::vector<float> gradients;
    for (Key key = first; key < first + 2000; ++key) {
      keys.push_back(key);
      gradients.push_back(-static_cast<float>(key));
      if (table == t) rows.try_emplace(key, 3).first->second += static_cast<float>(key);
    }
    Must(worker->Push(table, keys, gradients));
  };
  push(t, 0);
  push(other, 7000);
  Must(cluster->Checkpoint("full", {}, {.increments_max = 3}));
  push(t, 1500);
  Must(cluster->Checkpoint("more", {}, {.increments_max = 3}));
  return rows;
}

ClusterMap MapOf(std::uint32_t partitions) {
  ClusterMap map;
  map.lanes = {NodeId{4}, NodeId{5}, NodeId{6}};
  for (std::uint32_t p = 0; p < partitions; ++p) map.lane_of.push_back(p % 3);
  return map;
}

std::optional<TableId> OnlyT(TableId table) {
  if (table != TableId{1}) return std::nullopt;
  return TableId{7};
}

TEST_CASE("each row of a checkpoint comes to its lane once, whatever it was saved with",
          "[server][checkpoint]") {
  const test::ScratchDirectory directory;
  const std::uint32_t saved = GENERATE(2U, 8U, 16U);
  const std::uint32_t partitions = GENERATE(4U, 8U);
  const Rows want = Save(directory.path(), saved);
  const auto store = Must(OpenStore(directory.path()));
  const Manifest manifest = Must(ReadManifest(*store, "more"));
  const ClusterMap map = MapOf(partitions);
  Rows got;
  Must(ImportCheckpoint(
      {.store = *store, .manifest = manifest, .map = map, .table_here = OnlyT},
      [&](std::span<const NodeId> lanes, std::span<const std::shared_ptr<const RowBlock>> rows) {
        CHECK(lanes.size() == rows.size());
        CHECK(std::set<NodeId>(lanes.begin(), lanes.end()).size() == lanes.size());
        for (std::size_t i = 0; i < lanes.size(); ++i) {
          CHECK(rows[i]->table == TableId{7});
          CHECK_FALSE(rows[i]->keys.empty());
          for (std::size_t r = 0; r < rows[i]->keys.size(); ++r) {
            const Key key = rows[i]->keys[r];
            const auto partition = static_cast<std::size_t>(PartitionOf(key, partitions));
            CHECK(map.lanes[map.lane_of[partition]] == lanes[i]);
            CHECK(got.emplace(key, rows[i]->values[r]).second);
          }
        }
        return absl::OkStatus();
      }));
  CHECK(got == want);
}

TEST_CASE("an import ends with the first error of who takes rows, or of the store",
          "[server][checkpoint]") {
  const test::ScratchDirectory directory;
  Save(directory.path(), 16);
  const auto store = Must(OpenStore(directory.path()));
  const Manifest manifest = Must(ReadManifest(*store, "full"));
  const ClusterMap map = MapOf(16);
  const RowImport import{.store = *store, .manifest = manifest, .map = map, .table_here = OnlyT};
  int given = 0;
  const absl::Status refused = ImportCheckpoint(import, [&](auto, auto) {
    return ++given == 2 ? absl::ResourceExhaustedError("no room") : absl::OkStatus();
  });
  CHECK(refused == absl::ResourceExhaustedError("no room"));
  CHECK(given == 2);

  const std::string& lost = manifest.blobs[9].name;
  REQUIRE(std::filesystem::remove(directory.path() + "/" + lost));
  const absl::Status damaged =
      ImportCheckpoint(import, [](auto, auto) { return absl::OkStatus(); });
  CHECK(absl::IsDataLoss(damaged));
  INFO(damaged.ToString());
  CHECK(damaged.message().find(lost) != std::string::npos);
}

// A lane that takes rows, but first says twice that its leader changes.
class HesitantLane {
 public:
  explicit HesitantLane(LoopbackNetwork& network)
      : transport_(network.Join()),
        node_(transport_->node()),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}
  ~HesitantLane() { End(); }

  NodeId node() const { return node_; }
  // Ends it; then what it was given.
  const Rows& End() {
    if (thread_.joinable()) {
      thread_.request_stop();
      transport_->Wake();
      thread_.join();
    }
    return rows_;
  }

 private:
  void Run(const std::stop_token& stop) {
    std::vector<Envelope> events;
    while (!stop.stop_requested()) {
      events.clear();
      transport_->Receive(absl::Now() + absl::Milliseconds(20), events);
      for (Envelope& event : events) {
        absl::Status status;
        std::uint64_t request = 0;
        if (const auto* const import = std::get_if<ImportRows>(&event.body)) {
          request = import->request;
          if (refusals_left_ > 0) {
            --refusals_left_;
            status = absl::UnavailableError("its leader changes");
          } else {
            for (std::size_t i = 0; i < import->rows->keys.size(); ++i) {
              rows_[import->rows->keys[i]] = import->rows->values[i];
            }
          }
        } else if (const auto* const step = std::get_if<ImportStep>(&event.body)) {
          request = step->request;
        }
        transport_->Send(
            {node_, event.source, Acknowledgement{.request = request, .status = status}});
      }
    }
  }

  const std::unique_ptr<Transport> transport_;
  const NodeId node_;
  int refusals_left_ = 2;
  Rows rows_;
  std::jthread thread_;
};

TEST_CASE("a lane that cannot take rows for a while is given its own again",
          "[server][checkpoint]") {
  const test::ScratchDirectory directory;
  const Rows want = Save(directory.path(), 4);
  LoopbackNetwork network;
  ControlClient client(network.Join());
  HesitantLane first(network);
  HesitantLane second(network);
  ClusterMap map;
  map.lanes = {first.node(), second.node()};
  map.lane_of = {0, 1, 0, 1};
  client.FollowLeaders(std::make_shared<const ClusterMap>(map));
  const ClusterMapHolder maps(map);
  ClusterControl control({}, maps, client, nullptr);
  std::uint32_t tables = 0;
  Must(control.Load({.store = directory.path(), .name = "more"},
                    [&](const TableSpec&) { return TableId{tables++}; }));
  CHECK(tables == 2);
  Rows all = first.End();
  for (const auto& [key, value] : second.End()) CHECK(all.emplace(key, value).second);
  // Of the table that has no such keys.
  std::erase_if(all, [](const auto& row) { return row.first >= 7000; });
  CHECK(all == want);
  for (const auto& [key, value] : second.End()) {
    if (key < 7000) CHECK(map.lane_of[static_cast<std::size_t>(PartitionOf(key, 4))] == 1);
  }
}

}  // namespace
}  // namespace longtail::server
