// What is old goes and nothing else does, wherever it stops, on each store: a program for each
// (CMakeLists.txt).
#include "checkpoint/retention.h"

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/verification.h"
#include "io/open_store.h"
#include "support/passing_store.h"
#include "support/store_place.h"

namespace longtail::checkpoint {
namespace {

using test::CheckpointBuilder;
using test::Must;
using test::Says;
using test::StorePlace;

using Names = std::vector<std::string>;

absl::Time At(const std::string& text) {
  absl::Time time;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, nullptr));
  return time;
}

// Day d's checkpoint is "day-d". Without the store there is none.
struct Fixture {
  Fixture() {
    if (place != nullptr) store = Must(OpenStore(place->address()));
  }

  CheckpointBuilder Day(int day) const {
    CheckpointBuilder built;
    built.name = "day-" + std::to_string(day);
    built.created_at = "2026-11-0" + std::to_string(day) + "T12:00:00Z";
    built.partitions = 2;
    Rng rng(static_cast<std::uint64_t>(day));
    built.tables.push_back(
        {.spec = test::ExactSpec("t", 2), .value_count = 2, .rows = test::SomeRows(rng, 60, 2)});
    built.trainer = {{"dense", "weights"}};
    return built;
  }
  void WriteDays(int count) const {
    for (int day = 1; day <= count; ++day) Day(day).Write(*store);
  }

  RetentionPlan Plan(const RetentionPolicy& policy) const {
    return Must(PlanRetention(Must(ListStore(*store)), policy, At("2026-11-09T12:00:00Z")));
  }
  Names Removed(const RetentionPolicy& policy) const {
    Names names;
    for (const Removal& removal : Plan(policy).removals) names.push_back(removal.name);
    return names;
  }
  void Run(const RetentionPolicy& policy) const {
    Must(Remove(*store, Plan(policy), [](const Removal&) {}));
  }

  // Every checkpoint with a manifest has all that it names.
  void CheckWhole(const Names& want) const {
    Names names;
    for (const ListedCheckpoint& listed : Must(ListStore(*store)).checkpoints) {
      names.push_back(listed.name);
      CHECK(Must(VerifyCheckpoint(*store, listed.name)).is_whole());
    }
    CHECK(names == want);
  }

  const std::unique_ptr<StorePlace> place = StorePlace::Make(LONGTAIL_TEST_STORE);
  std::unique_ptr<BlobStore> store;
};

TEST_CASE_METHOD(Fixture, "the newest stay by count, and of the others the young ones",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(5);
  const auto days = [](int count) { return absl::Hours(24 * count); };

  CHECK(Removed({.keep = 2}) == Names{"day-1", "day-2", "day-3"});
  CHECK(Removed({.keep = 5}) == Names{});
  CHECK(Removed({.keep = 9}) == Names{});
  CHECK(Removed({.keep = 1, .older_than = days(6)}) == Names{"day-1", "day-2", "day-3"});
  CHECK(Removed({.keep = 3, .older_than = days(6)}) == Names{"day-1", "day-2"});
  CHECK(Removed({.keep = 1, .older_than = days(8) + absl::Seconds(1)}) == Names{});
  CHECK(Removed({.keep = 1, .older_than = days(1)}).size() == 4);  // The newest stays, however old.
  CHECK(Plan({.keep = 4}).kept == Names{"day-2", "day-3", "day-4", "day-5"});
}

TEST_CASE_METHOD(Fixture, "what goes is gone, what it freed is told, what stays is whole",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(3);
  std::uint64_t bytes = 0;
  for (const std::string& object : Must(store->List("day-1/"))) {
    if (object != "day-1/MANIFEST.json") bytes += Must(store->Read(object)).size();
  }
  const RetentionPlan plan = Plan({.keep = 2});

  REQUIRE(plan.removals.size() == 1);
  CHECK(plan.removals[0].bytes == bytes);
  CHECK(plan.removals[0].created_at == "2026-11-01T12:00:00Z");
  CheckWhole({"day-1", "day-2", "day-3"});  // A plan alone removes nothing.

  Run({.keep = 2});
  CHECK(Must(store->List("day-1/")).empty());
  CheckWhole({"day-2", "day-3"});
}

TEST_CASE_METHOD(Fixture, "an object that a kept manifest names stays", "[checkpoint][retention]") {
  if (place == nullptr) return;
  const Manifest old = Day(1).Write(*store);
  CheckpointBuilder builder = Day(2);
  Manifest manifest = builder.WriteObjects(*store);
  // As a checkpoint would that writes what changed alone.
  Must(store->Remove(manifest.blobs[0].name));
  manifest.blobs[0] = old.blobs[0];
  builder.WriteManifest(*store, manifest);

  Run({.keep = 1});

  CHECK(Must(store->List("day-1/")) == Names{old.blobs[0].name});
  CHECK(Must(ListStore(*store)).unfinished.empty());
  CHECK(Plan({.keep = 1, .removes_unfinished = true}).removals.empty());

  Day(3).Write(*store);
  Run({.keep = 1});
  CHECK(Must(store->List("day-1/")).empty());
  CHECK(Must(store->List("day-2/")).empty());
  CheckWhole({"day-3"});
}

TEST_CASE_METHOD(Fixture, "what has no manifest may be under way and stays, unless told otherwise",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(2);
  Day(3).WriteObjects(*store);
  const Names objects = Must(store->List("day-3/"));
  Must(store->Write("server-0/lane-0/00000000000000000000.log", "a log"));

  Run({.keep = 1});

  CHECK(Must(store->List("day-3/")) == objects);
  CHECK(Must(store->List("day-1/")).empty());
  REQUIRE(Plan({.keep = 1}).unfinished.size() == 1);
  CHECK(Plan({.keep = 1}).unfinished[0].objects == objects);

  Run({.keep = 1, .removes_unfinished = true});
  CHECK(Must(store->List("day-3/")).empty());
  CHECK(Must(store->List("server-0/")).size() == 1);
  CheckWhole({"day-2"});
}

// Ends, as a process that is killed, before the change of that number, counted from 0.
class EndingStore final : public test::PassingStore {
 public:
  EndingStore(BlobStore& under, int changes) : PassingStore(under), changes_left_(changes) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    if (changes_left_-- <= 0) return absl::UnavailableError("killed");
    return PassingStore::Write(name, bytes);
  }
  absl::Status Remove(std::string_view name) override {
    if (changes_left_-- <= 0) return absl::UnavailableError("killed");
    return PassingStore::Remove(name);
  }

 private:
  int changes_left_;
};

TEST_CASE_METHOD(Fixture, "wherever a removal ends, what has a manifest is whole, and it can go on",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  bool has_ended = false;
  for (int changes = 0; !has_ended; ++changes) {
    CAPTURE(changes);
    WriteDays(4);
    EndingStore ending(*store, changes);
    const RetentionPlan plan = Plan({.keep = 2});
    has_ended = Remove(ending, plan, [](const Removal&) {}).ok();

    for (const ListedCheckpoint& listed : Must(ListStore(*store)).checkpoints) {
      CHECK(Must(VerifyCheckpoint(*store, listed.name)).is_whole());
    }
    if (changes > 2) CHECK(Must(ListStore(*store)).checkpoints.size() < 4);
    // Whatever is asked for next, what was begun is ended; the manifests that are there decide.
    Run({.keep = 4});
    CHECK(Must(ListStore(*store)).unfinished.empty());
    Run({.keep = 2});
    CheckWhole({"day-3", "day-4"});
    CHECK(Must(store->List("day-1/")).empty());
    CHECK(Must(store->List("day-2/")).empty());
    REQUIRE(changes < 100);
  }
}

TEST_CASE_METHOD(Fixture, "a checkpoint that is written again keeps a removal off",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(2);
  EndingStore ending(*store, 4);
  CHECK_FALSE(Remove(ending, Plan({.keep = 1}), [](const Removal&) {}).ok());
  const RetentionPlan late = Plan({.keep = 1});
  REQUIRE(late.removals.size() == 1);
  REQUIRE(late.removals[0].was_begun);
  // As its writer does: what is left goes, the mark too.
  for (const std::string& object : Must(store->List("day-1/"))) Must(store->Remove(object));
  Day(1).Write(*store);

  Must(Remove(*store, late, [](const Removal&) {}));

  CheckWhole({"day-1", "day-2"});
}

TEST_CASE_METHOD(Fixture, "while a manifest is damaged nothing is removed",
                 "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(3);
  Must(store->Write("day-2/MANIFEST.json", "{}"));

  const absl::Status status =
      PlanRetention(Must(ListStore(*store)), {.keep = 1}, At("2026-11-09T12:00:00Z")).status();

  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status,
             "checkpoint 'day-2': nothing is removed while it is not known what its "
             "manifest names: "));
}

TEST_CASE_METHOD(Fixture, "a checkpoint of an unknown time stays", "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(2);
  CheckpointBuilder builder = Day(3);
  builder.created_at = "some day";
  builder.Write(*store);

  CHECK(Removed({.keep = 1}) == Names{"day-1"});
}

// Increments "day-2" to "day-5" on "day-1", of which "day-4" and "day-5" have partition 0 in full.
struct ChainFixture : Fixture {
  void WriteChain() {
    Rng rng(8);
    CheckpointBuilder built = Day(1);
    Manifest manifest = built.Write(*store);
    for (int day = 2; day <= 5; ++day) {
      built = test::NextIncrement(built, manifest, "day-" + std::to_string(day), rng);
      built.created_at = Day(day).created_at;
      built.full.clear();
      if (day >= 4) built.full = {0};
      manifest = built.Write(*store);
    }
  }
};

TEST_CASE_METHOD(ChainFixture, "of a chain only what nobody needs goes",
                 "[checkpoint][retention][increment]") {
  if (place == nullptr) return;
  WriteChain();
  std::uint64_t bytes = 0;  // Of what is not needed any more.
  for (int day = 1; day <= 4; ++day) {
    const std::string prefix = "day-" + std::to_string(day) + "/";
    bytes += Must(store->Read(prefix + "trainer-0.blob")).size();
    for (const std::string& object : Must(store->List(prefix + "p00000-"))) {
      bytes += Must(store->Read(object)).size();
    }
  }
  const RetentionPlan plan = Plan({.keep = 1});
  std::uint64_t told = 0;
  for (const Removal& removal : plan.removals) told += removal.bytes;
  CHECK(told == bytes);

  Run({.keep = 1});

  CheckWhole({"day-5"});
  for (int day = 1; day <= 4; ++day) {
    const std::string prefix = "day-" + std::to_string(day) + "/";
    CHECK(Must(store->List(prefix)) == Must(store->List(prefix + "p00001-")));
  }
  CHECK(Must(ListStore(*store)).unfinished.empty());
  CHECK(Plan({.keep = 1, .removes_unfinished = true}).removals.empty());

  // The last one takes all with it that was left of the others.
  CheckpointBuilder full = Day(6);
  full.Write(*store);
  Run({.keep = 1});
  CheckWhole({"day-6"});
  CHECK(Must(store->List("")) == Must(store->List("day-6/")));
}

TEST_CASE_METHOD(ChainFixture, "wherever the removal of a chain's parts ends, the others are whole",
                 "[checkpoint][retention][increment]") {
  if (place == nullptr) return;
  const bool adds_full = GENERATE(false, true);
  const std::size_t keep = adds_full ? 1 : 2;
  CAPTURE(keep, adds_full);
  bool has_ended = false;
  for (int changes = 0; !has_ended; ++changes) {
    CAPTURE(changes);
    for (const std::string& object : Must(store->List(""))) Must(store->Remove(object));
    WriteChain();
    if (adds_full) {
      Run({.keep = 3});  // Objects without a manifest of their own.
      Day(6).Write(*store);
    }
    EndingStore ending(*store, changes);
    has_ended = Remove(ending, Plan({.keep = keep}), [](const Removal&) {}).ok();

    for (const ListedCheckpoint& listed : Must(ListStore(*store)).checkpoints) {
      CHECK(Must(VerifyCheckpoint(*store, listed.name)).is_whole());
    }
    Run({.keep = 9});
    CHECK(Must(ListStore(*store)).unfinished.empty());
    Run({.keep = keep});
    CheckWhole(adds_full ? Names{"day-6"} : Names{"day-4", "day-5"});
    // Nothing is left that no manifest names.
    std::set<std::string> named;
    for (const ListedCheckpoint& listed : Must(ListStore(*store)).checkpoints) {
      for (const SnapshotBlob& blob : listed.manifest->blobs) named.insert(blob.name);
      for (const ManifestTrainerBlob& blob : listed.manifest->trainer) named.insert(blob.blob);
      named.insert(listed.name + "/MANIFEST.json");
    }
    for (const std::string& object : Must(store->List(""))) {
      CAPTURE(object);
      CHECK((named.contains(object) || object.ends_with("/REMOVED")));
    }
    REQUIRE(changes < 200);
  }
}

// Writes an increment on "day-1" just before the first change but marks, as a cluster may.
class SavingStore final : public test::PassingStore {
 public:
  SavingStore(BlobStore& under, std::function<void()> save)
      : PassingStore(under), save_(std::move(save)) {}

  absl::Status Write(std::string_view name, std::string_view bytes) override {
    if (++marks_ == 2) std::exchange(save_, [] {})();
    return PassingStore::Write(name, bytes);
  }
  absl::Status Remove(std::string_view name) override {
    CHECK(marks_ >= 2);
    return PassingStore::Remove(name);
  }

 private:
  std::function<void()> save_;
  int marks_ = 0;
};

TEST_CASE_METHOD(ChainFixture, "what was built on a checkpoint since the plan was made is whole",
                 "[checkpoint][retention][increment]") {
  if (place == nullptr) return;
  const CheckpointBuilder first = Day(1);
  const Manifest manifest = first.Write(*store);
  Day(2).Write(*store);
  Day(3).Write(*store);
  const RetentionPlan plan = Plan({.keep = 1});
  SavingStore saving(*store, [&] {
    Rng rng(4);
    test::NextIncrement(first, manifest, "since", rng).Write(*store);
  });

  Must(Remove(saving, plan, [](const Removal&) {}));

  CheckWhole({"since", "day-3"});
  CHECK(Must(ListStore(*store)).unfinished.empty());
}

// Has no room for another byte.
class FullStore final : public test::PassingStore {
 public:
  using PassingStore::PassingStore;

  absl::Status Write(std::string_view, std::string_view) override {
    return absl::ResourceExhaustedError("quota");
  }
};

TEST_CASE_METHOD(Fixture, "a full store can be made room in", "[checkpoint][retention]") {
  if (place == nullptr) return;
  WriteDays(3);
  FullStore full(*store);

  Must(Remove(full, Plan({.keep = 1}), [](const Removal&) {}));

  CheckWhole({"day-3"});
  CHECK(Must(store->List("day-1/")).empty());
}

}  // namespace
}  // namespace longtail::checkpoint
