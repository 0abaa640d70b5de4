// A checkpoint brings everything back, into any number of lanes and partitions, from each store: a
// program for each (CMakeLists.txt).
#include <catch2/catch.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/open_store.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

constexpr std::uint32_t kDim = 3;

// Five tables, the third one empty, and rows trained for a few steps.
std::unique_ptr<Cluster> Trained(const StorePlace& place, std::uint64_t seed = 4) {
  auto cluster = Must(Cluster::Embedded({.lanes = 2,
                                         .partitions = 8,
                                         .step_mode = StepMode::kSynchronous,
                                         .store = place.address()}));
  const TableId a = Must(cluster->CreateTable(test::SpecOf("a", kDim, AdagradSpec{})));
  const TableId b = Must(cluster->CreateTable(test::SpecOf("b", kDim, AdamSpec{})));
  Must(cluster->CreateTable(test::SpecOf("empty", kDim, FtrlSpec{})));
  const TableId tail = Must(cluster->CreateTable(test::TailSpecOf("tail", kDim)));
  const TableId shared = Must(cluster->CreateTable(test::SharedSpecOf("shared", kDim)));
  const auto worker = Must(cluster->Connect());
  Rng rng(seed);
  for (int step = 0; step < 5; ++step) {
    for (const TableId table : {a, b, tail, shared}) {
      Must(worker->Push(table, test::Keys(rng, 100, 90), test::Floats(rng, 100 * kDim, -1, 1)));
    }
    Must(worker->EndStep());
  }
  return cluster;
}

std::vector<std::uint64_t> Hashes(Cluster& cluster) {
  std::vector<std::uint64_t> hashes;
  for (const char* name : {"a", "b", "empty", "tail", "shared"}) {
    const TableStatistics statistics = Must(cluster.Statistics(Must(cluster.FindTable(name))));
    hashes.push_back(statistics.hash);
    hashes.push_back(statistics.rows);
  }
  return hashes;
}

TEST_CASE("a checkpoint restores into any number of lanes and partitions", "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto saved = Trained(*place);
  const CheckpointInfo info = Must(saved->Checkpoint("step-5"));
  CHECK(info.name.store == place->address());
  CHECK(info.name.name == "step-5");
  CHECK(AddressOf(info.name).starts_with(place->address().substr(0, place->address().find('?')) +
                                         "/step-5"));
  CHECK(info.step == 5);
  CHECK(info.partitions == 8);
  REQUIRE(info.tables.size() == 5);
  CHECK(info.tables[1] == test::SpecOf("b", kDim, AdamSpec{}));
  const std::vector<std::uint64_t> want = Hashes(*saved);
  CHECK(info.tables[3] == test::TailSpecOf("tail", kDim));
  CHECK(info.rows == want[1] + want[3] + want[7] + want[9]);
  CHECK(want[5] == 0);

  for (const std::uint32_t partitions : {1U, 8U, 64U}) {
    for (const std::uint32_t lanes : {1U, 2U, 4U}) {
      if (lanes > partitions) continue;
      CAPTURE(lanes, partitions);
      const auto restored =
          Must(Cluster::Restore({.lanes = lanes, .partitions = partitions}, info.name));
      CHECK(Hashes(*restored) == want);
      CHECK(restored->restored_step() == 5);
    }
  }
}

TEST_CASE("a restored cluster goes on as the one that was saved", "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto saved = Trained(*place);
  const CheckpointInfo info = Must(saved->Checkpoint("a"));
  const auto restored = Must(Cluster::Restore(
      {.lanes = 1, .partitions = 4, .step_mode = StepMode::kSynchronous}, info.name));
  const auto go_on = [](Cluster& cluster) {
    const auto worker = Must(cluster.Connect());
    CHECK(worker->step() == 5);
    CHECK(worker->rank() == 0);
    Rng rng(99);
    const TableId b = Must(cluster.FindTable("b"));
    const TableId tail = Must(cluster.FindTable("tail"));
    const TableId shared = Must(cluster.FindTable("shared"));
    for (int step = 0; step < 9; ++step) {
      Must(worker->Push(b, test::Keys(rng, 100, 90), test::Floats(rng, 100 * kDim, -1, 1)));
      Must(worker->Push(tail, test::Keys(rng, 40, 200), test::Floats(rng, 40 * kDim, -1, 1)));
      Must(worker->Push(shared, test::Keys(rng, 40, 200), test::Floats(rng, 40 * kDim, -1, 1)));
      Must(worker->EndStep());
    }
    CHECK(worker->step() == 14);
    CHECK(Must(cluster.Statistics(tail)).evicted_idle > 0);
  };

  go_on(*saved);
  go_on(*restored);

  CHECK(Hashes(*restored) == Hashes(*saved));
}

TEST_CASE("the trainer's state comes back byte for byte", "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto cluster = Trained(*place);
  std::string bytes(300'000, '\0');
  Rng rng(8);
  for (char& byte : bytes) byte = static_cast<char>(rng.Next());
  const TrainerState state = {
      {"dense", bytes}, {"empty", ""}, {"position in the data", std::string("1\0002", 3)}};

  const CheckpointInfo info = Must(cluster->Checkpoint("a", state));

  CHECK(Must(ReadTrainerState(info.name)) == state);
  CHECK(Must(ReadTrainerState(Must(cluster->Checkpoint("b")).name)).empty());
}

TEST_CASE("checkpoints are listed oldest first, and only whole ones", "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto cluster = Trained(*place);
  for (const char* name : {"step-9", "step-10", "b", "a"}) Must(cluster->Checkpoint(name));
  Must(Must(OpenStore(place->address()))->Write("half/p00000-0000.snapshot", "left by a crash"));

  const std::vector<CheckpointInfo> list = Must(ListCheckpoints(place->address()));

  std::vector<std::string> names;
  for (const CheckpointInfo& info : list) names.push_back(info.name.name);
  CHECK(names == std::vector<std::string>{"step-9", "step-10", "b", "a"});
  for (const CheckpointInfo& info : list) {
    CHECK(info.step == 5);
    CHECK(info.bytes > 0);
    CHECK(info.created_at.ends_with("Z"));
  }
}

TEST_CASE("an existing checkpoint is not written over, a half-written one is",
          "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto cluster = Trained(*place);
  const auto store = Must(OpenStore(place->address()));
  Must(store->Write("half/p99999-0000.snapshot", "left by a crash"));
  Must(cluster->Checkpoint("whole"));
  const std::string manifest = Must(store->Read("whole/MANIFEST.json"));

  const absl::Status again = cluster->Checkpoint("whole").status();
  const CheckpointInfo info = Must(cluster->Checkpoint("half"));

  CHECK(absl::IsAlreadyExists(again));
  CHECK(Says(again, "checkpoint 'whole' is in"));
  CHECK(Must(store->Read("whole/MANIFEST.json")) == manifest);
  CHECK(Must(store->List("half/p99999")).empty());
  CHECK(Hashes(*Must(Cluster::Restore({.partitions = 8}, info.name))) == Hashes(*cluster));
}

TEST_CASE("of checkpoints of one name at the same time one is made, whole",
          "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const auto cluster = Trained(*place);
  std::vector<absl::Status> outcomes(4);
  std::vector<std::thread> threads;
  for (absl::Status& outcome : outcomes) {
    threads.emplace_back([&] { outcome = cluster->Checkpoint("same").status(); });
  }
  for (std::thread& thread : threads) thread.join();

  int made = 0;
  for (const absl::Status& outcome : outcomes) {
    INFO(outcome.ToString());
    CHECK((outcome.ok() || absl::IsAlreadyExists(outcome)));
    made += outcome.ok() ? 1 : 0;
  }
  CHECK(made == 1);
  const auto restored =
      Must(Cluster::Restore({.partitions = 8}, {.store = place->address(), .name = "same"}));
  CHECK(Hashes(*restored) == Hashes(*cluster));
}

TEST_CASE("a checkpoint or a store that there is not is not found, and not made",
          "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const test::ScratchDirectory directory;
  const std::string missing = (directory / "missing").string();
  Must(Trained(*place)->Checkpoint("there"));

  const absl::Status restored =
      Cluster::Restore({}, {.store = place->address(), .name = "gone"}).status();

  CHECK(absl::IsNotFound(restored));
  CHECK(Says(restored, "checkpoint 'gone'"));
  CHECK(Says(restored, "has [there]"));
  CHECK(absl::IsNotFound(ListCheckpoints(missing).status()));
  CHECK(absl::IsNotFound(Cluster::Restore({}, {.store = missing, .name = "a"}).status()));
  CHECK(absl::IsNotFound(ReadTrainerState({.store = missing, .name = "a"}).status()));
  CHECK_FALSE(std::filesystem::exists(missing));
}

TEST_CASE("an option that is wrong is refused before anything is restored",
          "[server][checkpoint]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const CheckpointInfo info = Must(Trained(*place)->Checkpoint("a"));

  CHECK(absl::IsInvalidArgument(Cluster::Restore({.lanes = 0}, info.name).status()));
}

}  // namespace
}  // namespace longtail
