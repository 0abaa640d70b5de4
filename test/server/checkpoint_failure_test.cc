// A store that fails at any write: the checkpoint is not there, and those before it still are.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "io/core_loop.h"
#include "io/loopback.h"
#include "io/open_store.h"
#include "protocol/cluster_map.h"
#include "server/checkpoint_reader.h"
#include "server/checkpoint_writer.h"
#include "server/cluster_fixture.h"
#include "server/faulty_store.h"
#include "server/lane_core.h"
#include "server/request_builder.h"
#include "server/scratch_directory.h"
#include "support/passing_store.h"

namespace longtail::server {
namespace {

using test::Must;

constexpr std::uint32_t kLanes = 2;
constexpr std::uint32_t kPartitions = 4;
constexpr const char* kTime = "2020-02-03T04:05:06Z";
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// Two lanes over a store that fails at a write of our choice.
class Lanes {
 public:
  explicit Lanes(BlobStore& store) : control_(network_.Join()) {
    map_.tables = {test::ExactSpec("t", 1)};
    for (std::uint32_t i = 0; i < kLanes; ++i) {
      transports_.push_back(network_.Join());
      map_.lanes.push_back(transports_.back()->node());
      LaneCore::Options options{
          .self = transports_.back()->node(), .partition_count = kPartitions, .partitions = {}};
      for (std::uint32_t p = i; p < kPartitions; p += kLanes) {
        options.partitions.push_back(PartitionId{p});
      }
      cores_.push_back(std::make_unique<LaneCore>(options));
      loops_.push_back(std::make_unique<CoreLoop>(
          *cores_.back(), *transports_.back(), CoreLoop::Options{.name = "lane", .store = &store}));
    }
    for (std::uint32_t p = 0; p < kPartitions; ++p) map_.lane_of.push_back(p % kLanes);
    Tell([&](std::uint64_t request) { return CreateTable{request, TableId{0}, map_.tables[0]}; });
    Tell([](std::uint64_t request) { return OpenSession{request, SessionId{1}, 0}; });
  }

  // Pushes 1 to a key of every partition.
  void Push(std::uint64_t sequence) {
    std::uint32_t lane = 0;
    Tell([&](std::uint64_t request) {
      std::vector<test::PushPart> parts;
      for (std::uint32_t p = lane; p < kPartitions; p += kLanes) {
        parts.push_back({.partition = PartitionId{p},
                         .table = TableId{0},
                         .sequence = sequence,
                         .keys = test::KeysOf(PartitionId{p}, kPartitions, 1),
                         .gradients = {1}});
      }
      ++lane;
      const auto push = test::MakePush(SessionId{1}, sequence, parts);
      push->request = request;
      return std::shared_ptr<const PushRequest>(push);
    });
  }

  absl::Status Save(const std::string& name, BlobStore& store) {
    return SaveOn("", name, store, 0).status();
  }

  // An increment on `base`, if there is one.
  absl::StatusOr<CheckpointInfo> SaveOn(const std::string& base, const std::string& name,
                                        BlobStore& store, std::uint32_t increments_max = 5) {
    CheckpointRequest request{.store_address = "",
                              .name = name,
                              .created_at = kTime,
                              .timeout = absl::Seconds(30),
                              .options = {.increments_max = increments_max}};
    if (!base.empty()) request.base = {.name = base, .created_at = kTime};
    return WriteCheckpoint(request, map_, {{"dense", "d"}, {"position", "p"}}, control_, store);
  }

 private:
  template <typename Make>
  void Tell(Make make) {
    Must(control_
             .Ask<Acknowledgement>("test", map_.lanes, absl::Seconds(30),
                                   [&](std::uint64_t n) -> Message { return make(n); })
             .status());
  }

  LoopbackNetwork network_;
  ControlClient control_;
  ClusterMap map_;
  std::vector<std::unique_ptr<Transport>> transports_;
  std::vector<std::unique_ptr<LaneCore>> cores_;
  std::vector<std::unique_ptr<CoreLoop>> loops_;
};

std::vector<float> Restored(const std::string& store, const std::string& name) {
  const auto cluster = Must(Cluster::Restore({.partitions = 8}, {.store = store, .name = name}));
  std::vector<Key> keys;
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    keys.push_back(test::KeysOf(PartitionId{p}, kPartitions, 1)[0]);
  }
  return test::Rows(*Must(cluster->Connect()), TableId{0}, keys, 1);
}

TEST_CASE("a failed write fails the checkpoint and leaves the one before it",
          "[server][checkpoint]") {
  constexpr std::uint64_t kWrites = kPartitions + 2 + 1;  // Partitions, trainer, manifest.
  for (std::uint64_t failing = 0; failing < kWrites; ++failing) {
    CAPTURE(failing);
    const test::ScratchDirectory directory;
    const auto files = Must(OpenStore(directory.path()));
    test::FaultyStore store(*files, kWrites + failing);
    Lanes lanes(store);
    lanes.Push(0);
    Must(lanes.Save("before", store));
    REQUIRE(store.writes() == kWrites);
    lanes.Push(1);

    const absl::Status status = lanes.Save("after", store);

    CHECK(absl::IsResourceExhausted(status));
    CHECK(test::Says(status, "after/"));
    CHECK(Must(ListCheckpoints(directory.path())).size() == 1);
    CHECK(Restored(directory.path(), "before") == std::vector<float>(kPartitions, 2));
    Must(lanes.Save("after", store));
    CHECK(Restored(directory.path(), "after") == std::vector<float>(kPartitions, 1));
  }
}

TEST_CASE("what changed before an increment that failed is in the next one",
          "[server][checkpoint][increment]") {
  constexpr std::uint64_t kWrites = kPartitions + 2 + 1;
  for (std::uint64_t failing = 0; failing < kWrites; ++failing) {
    CAPTURE(failing);
    const test::ScratchDirectory directory;
    const auto files = Must(OpenStore(directory.path()));
    test::FaultyStore store(*files, kWrites + failing);
    Lanes lanes(store);
    lanes.Push(0);
    Must(lanes.SaveOn("", "full", store));
    lanes.Push(1);
    REQUIRE(absl::IsResourceExhausted(lanes.SaveOn("full", "failed", store).status()));

    CHECK(Must(lanes.SaveOn("full", "next", store)).increments == 1);

    CHECK(Restored(directory.path(), "full") == std::vector<float>(kPartitions, 2));
    CHECK(Restored(directory.path(), "next") == std::vector<float>(kPartitions, 1));
    lanes.Push(2);
    CHECK(Must(lanes.SaveOn("next", "last", store)).increments == 2);
    CHECK(Restored(directory.path(), "last") == std::vector<float>(kPartitions, 0));
  }
}

// Removes a checkpoint's manifest just before another's is written, as gc may.
class RemovingStore final : public test::PassingStore {
 public:
  RemovingStore(BlobStore& under, std::string removed, std::string written)
      : PassingStore(under), removed_(ManifestName(removed)), written_(ManifestName(written)) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    if (name == written_) Must(Remove(removed_));
    return PassingStore::Write(name, bytes);
  }

 private:
  const std::string removed_;
  const std::string written_;
};

TEST_CASE("an increment whose base is removed while it is written is not there",
          "[server][checkpoint][increment]") {
  const test::ScratchDirectory directory;
  const auto files = Must(OpenStore(directory.path()));
  RemovingStore store(*files, "a", "b");
  Lanes lanes(*files);
  lanes.Push(0);
  Must(lanes.SaveOn("", "a", store));

  const absl::Status status = lanes.SaveOn("a", "b", store).status();

  CHECK(absl::IsAborted(status));
  CHECK(test::Says(status, "'a', on which it builds, was removed meanwhile"));
  CHECK(Must(ListCheckpoints(directory.path())).empty());
  CHECK(Must(lanes.SaveOn("a", "c", store)).increments == 0);
}

TEST_CASE("a store that never fails takes every write once", "[server][checkpoint]") {
  const test::ScratchDirectory directory;
  const auto files = Must(OpenStore(directory.path()));
  test::FaultyStore store(*files, kNever);
  Lanes lanes(store);

  Must(lanes.Save("a", store));

  CHECK(store.writes() == kPartitions + 3);
}

}  // namespace
}  // namespace longtail::server
