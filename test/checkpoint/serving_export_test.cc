// Checkpoints as serving places, read back by the library that serves them.
#include "checkpoint/serving_export.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "checkpoint/changed_rows.h"
#include "checkpoint/serving_file_writer.h"
#include "golden/hex.h"
#include "io/file_lock.h"
#include "io/open_store.h"
#include "longtail/cluster.h"
#include "protocol/serving_list.h"
#include "protocol/value_codec.h"
#include "serving/serving_place.h"
#include "sparse/initializer.h"

namespace longtail::checkpoint {
namespace {

using test::BuiltTable;
using test::CheckpointBuilder;
using test::LookedUp;
using test::LookUp;
using test::Must;
using test::Says;

struct Fixture : test::ServingPlace {
  // Checkpoints on checkpoints, the first in full, and their manifests.
  void Save(const std::string& name, std::set<std::uint32_t> full = {}) {
    CheckpointBuilder next = test::NextIncrement(chain.back(), manifests.back(), name, rng);
    next.full = std::move(full);
    next.created_at = "2026-11-29T11:00:0" + std::to_string(chain.size()) + "Z";
    manifests.push_back(next.Write(store));
    chain.push_back(std::move(next));
  }
  ServingExport ExportLast() { return Export(chain.back().name, manifests.back()); }

  // Every key that any table ever had, and some more.
  std::vector<Key> AllKeys() const {
    std::set<Key> keys;
    for (const CheckpointBuilder& built : chain) {
      for (const BuiltTable& table : built.tables) {
        for (const auto& [key, row] : table.rows) keys.insert(key);
        for (const auto& [key, row] : table.whole) keys.insert(key);
      }
    }
    for (std::uint64_t i = 0; i < 50; ++i) keys.insert(RandomBits(3, i, 0));
    return {keys.begin(), keys.end()};
  }

  // Whether the place has exactly the rows of the last checkpoint.
  void CheckServesLast() {
    const auto model = Must(ServingModel::Open(options.place, {.look_every = {}}));
    const auto version = model->version();
    CHECK(version->step() == chain.back().step);
    CHECK(version->checkpoint() == chain.back().name);
    for (const BuiltTable& table : chain.back().tables) {
      const ServingTable* served = version->Find(table.spec.name);
      REQUIRE(served != nullptr);
      CHECK(served->step() == chain.back().step);
      const test::BuiltRows& want = chain.size() == 1 ? table.rows : table.whole;
      const sparse::Initializer initializer(table.spec);
      for (const Key key : AllKeys()) {
        const auto row = want.find(key);
        LookedUp wanted{.row = std::vector<float>(table.spec.dim), .found = row != want.end()};
        if (wanted.found) {
          std::copy_n(row->second.values.begin(), table.spec.dim, wanted.row.begin());
        } else {
          initializer.Fill(key, wanted.row);
        }
        if (!(LookUp(*served, key) == wanted)) FAIL_CHECK(table.spec.name << " " << key);
      }
    }
  }

  Rng rng{43};
  std::vector<CheckpointBuilder> chain = {test::ThreeTables()};
  std::vector<Manifest> manifests = {chain[0].Write(store)};
};

TEST_CASE_METHOD(Fixture, "a serving file has the bytes it always had",
                 "[checkpoint][serving][golden]") {
  CheckpointBuilder built{.partitions = 2, .chunk_bytes = 1000};
  built.tables.push_back({.spec = test::SpecOf("movie", 2, AdagradSpec{.learning_rate = 0.5F}),
                          .value_count = 4,
                          .rows = {{7, {.count = 3, .last_step = 11, .values = {1, -2, 0.5F, 4}}},
                                   {9, {.count = 1, .last_step = 2, .values = {8, 16, 32, 64}}}}});
  const ServingExport first = Export(built);
  CheckpointBuilder next = built;
  next.base = built.WriteObjects(store);
  next.name = "step-13";
  next.step = 13;
  next.tables[0].whole = {{7, {.count = 4, .last_step = 13, .values = {3, -4, 0.5F, 4}}}};
  next.tables[0].rows = next.tables[0].whole;
  next.tables[0].gone = {9};
  options.changes_share_max = 1;
  const ServingExport second = Export(next);

  REQUIRE(second.is_changes);
  const std::string golden = std::string(LONGTAIL_GOLDEN_DIR) + "/";
  const auto wants = [&](const std::string& file, const std::string& hex) {
    CHECK(test::HexOfBytes(test::ReadWhole(PathOf(file))) ==
          test::HexOfBytes(test::BytesOfHex(test::FileText(golden + hex))));
  };
  wants(first.tables[0].file, "serving_rows.hex");
  wants(second.tables[0].file, "serving_changes.hex");
  wants(std::string(kServingListName), "serving_list.hex");
}

TEST_CASE_METHOD(Fixture, "all rows of a checkpoint are served, and no others",
                 "[checkpoint][serving]") {
  const ServingExport done = ExportLast();

  CHECK_FALSE(done.is_changes);
  CHECK(done.base == "step-12");
  CHECK(done.step == 12);
  REQUIRE(done.tables.size() == 3);
  CHECK(done.tables[0].table == "item");
  CHECK(done.tables[0].rows == 150);
  CHECK(done.tables[1].table == "rare");
  CHECK(done.tables[2].rows == 90);
  CHECK(std::filesystem::file_size(PathOf(done.tables[2].file)) == done.tables[2].bytes);
  CheckServesLast();
}

TEST_CASE_METHOD(Fixture, "changes on rows are what a full export of the same checkpoint is",
                 "[checkpoint][serving]") {
  options.changes_share_max = 100;
  ExportLast();
  for (const char* name : {"a", "b", "c"}) {
    Save(name);
    const ServingExport done = ExportLast();
    CHECK(done.is_changes);
    CHECK(done.base == "step-12");
    CHECK(done.tables[0].gone > 0);
    CheckServesLast();
  }
  options.in_full = true;
  CHECK_FALSE(ExportLast().is_changes);
  CheckServesLast();
}

TEST_CASE_METHOD(Fixture, "where changes would not be right or not be few, all rows are written",
                 "[checkpoint][serving]") {
  options.changes_share_max = 100;
  ExportLast();
  Save("a");
  SECTION("many changes") {
    options.changes_share_max = 0.01;
  }
  SECTION("other values") {
    options.values = WireValues::kBfloat16;
  }
  SECTION("fewer tables") {
    options.tables = {"item", "user"};
  }
  SECTION("a partition written in full") {
    Save("b", {2});
  }
  SECTION("the checkpoint of the rows was removed") {
    Must(store.Remove("step-12/MANIFEST.json"));
  }
  SECTION("another training saved under its name") {
    Manifest other = manifests[0];
    other.created_at = "2026-11-29T12:00:00Z";
    chain[0].WriteManifest(store, other);
  }
  SECTION("the file of the rows is damaged") {
    for (const auto& entry : std::filesystem::directory_iterator(options.place)) {
      if (entry.path().extension() == ".rows") test::FlipByte(entry.path(), 70);
    }
  }
  SECTION("the list is damaged") {
    test::FlipByte(PathOf("CURRENT"), 40);
  }

  const ServingExport done = ExportLast();

  CHECK_FALSE(done.is_changes);
  CHECK(done.base == chain.back().name);
  if (options.values == WireValues::kFloat32 && options.tables.empty()) CheckServesLast();
}

TEST_CASE_METHOD(Fixture, "files of the version before stay, older ones go",
                 "[checkpoint][serving]") {
  options.changes_share_max = 100;
  const ServingExport first = ExportLast();
  Save("a");
  const ServingExport second = ExportLast();
  CHECK(second.removed.empty());
  test::WriteWhole(PathOf("item-000000000099-0000000000000001.rows~"), "left by a crash");
  test::WriteWhole(PathOf("notes.txt"), "of somebody else");
  Save("b");
  const ServingExport third = ExportLast();
  CHECK(third.removed == std::vector<std::string>{"item-000000000099-0000000000000001.rows~"});
  Save("c");
  const ServingExport fourth = ExportLast();
  CHECK(fourth.removed.size() == 3);
  CHECK(fourth.removed[0] == second.tables[0].file);
  CHECK(std::filesystem::exists(PathOf(third.tables[0].file)));
  CHECK(std::filesystem::exists(PathOf(first.tables[0].file)));
  CHECK(std::filesystem::exists(PathOf("notes.txt")));
}

TEST_CASE_METHOD(Fixture, "values in fewer bits are the nearest the format has",
                 "[checkpoint][serving]") {
  options.values = GENERATE(WireValues::kBfloat16, WireValues::kFloat16, WireValues::kInt8);
  const ServingExport done = ExportLast();
  const auto table = Must(ServingTable::Open(PathOf(done.tables[0].file), "", {}));
  for (const auto& [key, row] : chain[0].tables[0].rows) {
    const std::span<const float> weights = std::span(row.values).first(3);
    std::vector<std::byte> packed(PackedRowBytes(options.values, 3));
    PackRows(options.values, 3, weights, packed.data());
    LookedUp want{.row = std::vector<float>(3), .found = true};
    REQUIRE(UnpackRows(options.values, 3, packed, want.row.data()));
    if (!(LookUp(*table, key) == want)) FAIL_CHECK(key);
  }
}

TEST_CASE_METHOD(Fixture, "a key without a row gives what the caller asks for",
                 "[checkpoint][serving]") {
  const ServingExport done = ExportLast();
  const auto table = Must(ServingTable::Open(PathOf(done.tables[0].file), "", {}));
  const Key unseen = 123456789;
  LookedUp want{.row = std::vector<float>(3), .found = false};
  CHECK(LookUp(*table, unseen, UnseenKeys::kZeros) == want);
  sparse::Initializer(table->spec()).Fill(unseen, want.row);
  CHECK(LookUp(*table, unseen, UnseenKeys::kInitialValues) == want);
  CHECK(want.row[0] != 0);
}

TEST_CASE_METHOD(Fixture, "what cannot be exported is refused by name", "[checkpoint][serving]") {
  options.tables = {"item", "itm"};
  CHECK(Says(ExportServing(store, "step-12", manifests[0], options).status(),
             "table 'itm': checkpoint 'step-12' has [item, user, rare]"));
  options.tables = {};
  {
    const auto lock = Must(FileLock::Acquire(options.place, "export"));
    CHECK(absl::IsFailedPrecondition(
        ExportServing(store, "step-12", manifests[0], options).status()));
  }
  options.place = "";
  CHECK(Says(ExportServing(store, "step-12", manifests[0], options).status(),
             "serving place '': want a directory"));
  CHECK_FALSE(Must(ChangedRows::Open(store, manifests[0], "step-12")).has_value());
}

// Keys of all kinds: in the tail, admitted, sharing, evicted, never seen.
TEST_CASE("what is served is what the cluster's pulls give", "[checkpoint][serving]") {
  const TableSpec spec =
      GENERATE(values<TableSpec>({test::SpecOf("plain", 5, AdagradSpec{.learning_rate = 0.3F}),
                                  test::TailSpecOf("tail", 5), test::SharedSpecOf("shared", 5)}));
  CAPTURE(spec.name);
  const test::ScratchDirectory directory;
  const std::string store_path = directory.path() + "/store";
  const auto cluster = Must(Cluster::Embedded(
      {.lanes = 2, .partitions = 8, .step_mode = StepMode::kSynchronous, .store = store_path}));
  const TableId table = Must(cluster->CreateTable(spec));
  const auto worker = Must(cluster->Connect({}));
  Rng rng(5);
  const auto store = Must(OpenExistingStore(store_path));
  std::vector<Key> keys;
  for (std::uint64_t i = 0; i < 400; ++i) keys.push_back(RandomBits(8, i, 0));
  int exports_of_changes = 0;
  for (int round = 0; round < 6; ++round) {
    for (int step = 0; step < 3; ++step) {
      std::vector<Key> batch;
      for (int i = 0; i < (round == 0 ? 300 : 25); ++i) {
        batch.push_back(keys[rng.Below(rng.Below(2) == 0 ? 30 : 300)]);
      }
      Must(worker->Push(table, batch, test::Floats(rng, batch.size() * spec.dim, -1, 1)));
      Must(worker->EndStep());
    }
    const std::string name = "round-" + std::to_string(round);
    Must(cluster->Checkpoint(name, {}, {.increments_max = 9}));
    std::vector<float> want(keys.size() * spec.dim);
    Must(worker->Pull(table, keys, want));

    const ServingExport done =
        Must(ExportServing(*store, name, Must(server::ReadManifest(*store, name)),
                           {.place = directory.path() + "/place", .changes_share_max = 0.9}));
    exports_of_changes += done.is_changes ? 1 : 0;
    const auto model = Must(ServingModel::Open(directory.path() + "/place", {.look_every = {}}));
    std::vector<float> served(want.size());
    Must(model->version()->Find(spec.name)->Lookup(keys, served, UnseenKeys::kInitialValues));
    CHECK(served == want);
  }
  CHECK(exports_of_changes > 0);
}

}  // namespace
}  // namespace longtail::checkpoint
