// What is old goes and nothing else does, wherever it stops, on each store: a program for each
// (CMakeLists.txt).
#include "checkpoint/retention.h"

#include <catch2/catch.hpp>
#include <memory>

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
