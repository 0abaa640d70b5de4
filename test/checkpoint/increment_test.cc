// Increments on increments, read by everything that reads checkpoints.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/compaction.h"
#include "checkpoint/csv_file.h"
#include "checkpoint/difference.h"
#include "checkpoint/table_export.h"
#include "checkpoint/verification.h"
#include "server/scratch_directory.h"
#include "sim/memory_store.h"

namespace longtail::checkpoint {
namespace {

using test::CheckpointBuilder;
using test::Must;
using test::Says;

// "step-12" in full, then increments "a", "b" and "c", which has partition 2 in full.
struct Fixture {
  Fixture() {
    Manifest manifest = first.Write(store);
    CheckpointBuilder built = first;
    for (const char* name : {"a", "b", "c"}) {
      built = test::NextIncrement(built, manifest, name, rng);
      if (built.name == "c") built.full = {2};
      manifest = built.Write(store);
      chain.push_back(built);
      manifests.push_back(manifest);
    }
  }

  Verification Verify(const std::string& name = "c") { return Must(VerifyCheckpoint(store, name)); }

  // Verifies "c" with the manifest as `change` leaves it, and puts it back.
  std::vector<Damage> VerifyWith(const std::function<void(Manifest&)>& change) {
    Manifest changed = manifests[2];
    change(changed);
    chain[2].WriteManifest(store, changed);
    std::vector<Damage> damages = Verify().damages;
    chain[2].WriteManifest(store, manifests[2]);
    return damages;
  }

  // A chunk of "c" written anew as `change` leaves it, with the manifest that says so.
  std::vector<Damage> VerifyChunkWith(const std::string& blob,
                                      const std::function<void(SnapshotChunk&)>& change) {
    const std::string whole = Must(store.Read(blob));
    SnapshotChunk chunk = Must(ReadSnapshotChunk(blob, AsBytes(whole)));
    change(chunk);
    const std::string bytes = EncodeSnapshotChunk(chunk);
    Must(store.Write(blob, bytes));
    const std::vector<Damage> damages = VerifyWith([&](Manifest& manifest) {
      const auto at = std::ranges::find(manifest.blobs, blob, &SnapshotBlob::name);
      at->bytes = bytes.size();
      at->checksum = Checksum(AsBytes(bytes));
      at->rows = RowsOf(chunk);
    });
    Must(store.Write(blob, whole));
    return damages;
  }

  Rng rng{41};
  sim::MemoryStore store;
  CheckpointBuilder first = test::ThreeTables();
  std::vector<CheckpointBuilder> chain;
  std::vector<Manifest> manifests;
};

bool Names(const std::vector<Damage>& damages, const std::string& object, const std::string& text) {
  for (const Damage& damage : damages) UNSCOPED_INFO(damage.object << ": " << damage.problem);
  return std::ranges::any_of(damages, [&](const Damage& damage) {
    return damage.object == object && damage.problem.find(text) != std::string::npos;
  });
}

TEST_CASE_METHOD(Fixture, "an increment is the same as a full checkpoint of its rows",
                 "[checkpoint][increment]") {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    for (const std::uint32_t partitions : {1U, 4U, 16U}) {
      CAPTURE(i, partitions);
      CheckpointBuilder full = test::InFull(chain[i], "full");
      full.partitions = partitions;
      const Manifest manifest = full.Write(store);
      CHECK(Must(Compare(store, manifests[i], manifest, 9)).is_equal());
      CHECK(Must(Compare(store, manifest, manifests[i], 9)).is_equal());
    }
  }
  const CheckpointDifference some = Must(Compare(store, manifests[0], manifests[1], 0));
  CHECK(some.tables[0].changed == chain[1].tables[0].rows.size() - 5);
  CHECK(some.tables[0].removed == chain[1].tables[0].gone.size());
  CHECK(some.tables[0].added == 5);
}

TEST_CASE_METHOD(Fixture, "an increment is exported as a full checkpoint is",
                 "[checkpoint][increment]") {
  const test::ScratchDirectory directory;
  const auto text = [&](const Manifest& manifest) {
    const std::string path = directory.path() + "/out.csv";
    const auto file = Must(CsvFile::Create(path));
    Must(ExportTable(store, manifest, 0, true, *file));
    return test::ReadWhole(path);
  };
  CHECK(text(manifests[2]) == text(test::InFull(chain[2], "full").Write(store)));
}

TEST_CASE_METHOD(Fixture, "an increment compacted is a full checkpoint with all that it had",
                 "[checkpoint][increment]") {
  const Manifest manifest = Must(Compact(store, "c", "compact"));

  CHECK(manifest.layers.empty());
  CHECK(manifest.created_at == manifests[2].created_at);
  CHECK(manifest.step == 15);
  CHECK(manifest.trainer.size() == 2);
  CHECK(Must(Compare(store, manifests[2], manifest, 9)).is_equal());
  CHECK(Verify("compact").is_whole());
  for (const SnapshotBlob& blob : manifest.blobs) CHECK(blob.name.starts_with("compact/"));
  // The sessions are those of the newest layer: one a partition.
  const SnapshotChunk chunk =
      Must(ReadSnapshotChunk("s", AsBytes(Must(store.Read("compact/p00001-0000.snapshot")))));
  CHECK(chunk.sessions.size() == 1);
  CHECK(chunk.header.log_position == 501);
  CHECK(chunk.header.is_last);

  CHECK(absl::IsAlreadyExists(Compact(store, "c", "compact").status()));
  CHECK(absl::IsNotFound(Compact(store, "none", "other").status()));
  CHECK(absl::IsInvalidArgument(Compact(store, "c", "a/b").status()));
  Must(store.Remove("a/p00003-0000.snapshot"));
  CHECK(absl::IsDataLoss(Compact(store, "c", "other").status()));
  CHECK(Must(store.List("other/MANIFEST")).empty());
}

TEST_CASE_METHOD(Fixture, "a chain is whole, and damage to any object of it is named",
                 "[checkpoint][increment]") {
  for (const char* name : {"step-12", "a", "b", "c"}) {
    const Verification whole = Verify(name);
    for (const Damage& damage : whole.damages) UNSCOPED_INFO(damage.object << damage.problem);
    CHECK(whole.is_whole());
  }
  CHECK(manifests[2].layers == std::vector<std::string>{"step-12", "a", "b", "c"});
  std::uint64_t others = 0;
  for (const SnapshotBlob& blob : manifests[2].blobs) {
    CAPTURE(blob.name);
    others += blob.name.starts_with("c/") ? 0 : 1;
    std::string bytes = Must(store.Read(blob.name));
    const std::string whole = bytes;
    bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 8);
    Must(store.Write(blob.name, bytes));
    const std::vector<Damage> damages = Verify().damages;
    REQUIRE(damages.size() == 1);
    CHECK(damages[0].object == blob.name);
    CHECK(damages[0].bit == 3);
    Must(store.Remove(blob.name));
    CHECK(Names(Verify().damages, blob.name, "is not there, and the manifest names it"));
    Must(store.Write(blob.name, whole));
  }
  CHECK(others > 9);
}

TEST_CASE_METHOD(Fixture, "layers that do not fit each other are damage",
                 "[checkpoint][increment]") {
  const auto drop = [](const std::string& prefix) {
    return [prefix](Manifest& manifest) {
      std::erase_if(manifest.blobs,
                    [&](const SnapshotBlob& blob) { return blob.name.starts_with(prefix); });
    };
  };
  CHECK(Names(VerifyWith(drop("b/p00001-")), "c/MANIFEST.json",
              "names no object of partition 1 in 'b'"));
  CHECK(Names(VerifyWith(drop("c/p00001-")), "c/MANIFEST.json",
              "names no object of partition 1 in 'c'"));
  CHECK(Names(VerifyWith(drop("step-12/p00001-")), "a/p00001-0000.snapshot",
              "is an increment, and the manifest names nothing that it builds on"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.layers.erase(m.layers.begin() + 1); }),
              "c/MANIFEST.json",
              "names 'a/p00000-0000.snapshot', which is of no checkpoint that it builds on"));
  CHECK(Names(VerifyWith([](Manifest& m) { std::swap(m.layers[1], m.layers[2]); }),
              "b/p00000-0000.snapshot", "was cut at log position 400 and step 14: a newer layer"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.partitions[3].rows += 1; }), "c/MANIFEST.json",
              "says that partition 3 has "));
  CHECK(Names(VerifyWith([](Manifest& m) { m.partitions[3].log_position += 1; }),
              "c/p00003-0000.snapshot", ": the manifest says 504 and 15"));
  // Of partition 2 the newest layer has all rows.
  CHECK(Names(VerifyWith([&](Manifest& m) {
                for (const SnapshotBlob& blob : manifests[1].blobs) {
                  if (blob.name.find("/p00002-") < 99) m.blobs.push_back(blob);
                }
              }),
              "c/p00002-0000.snapshot",
              "holds all rows, and the manifest names an older layer of its partition"));
}

TEST_CASE_METHOD(Fixture, "keys that a layer cannot have are damage", "[checkpoint][increment]") {
  const auto with = [&](const std::string& blob,
                        const std::function<void(SnapshotTable&)>& change) {
    return VerifyChunkWith(blob, [&](SnapshotChunk& chunk) {
      for (SnapshotTable& table : chunk.tables) {
        if (table.rows.keys.empty() || table.gone.empty()) continue;
        return change(table);
      }
      FAIL("no such table");
    });
  };
  for (const char* blob : {"b/p00001-0000.snapshot", "c/p00000-0000.snapshot"}) {
    CAPTURE(blob);
    const std::uint32_t place = blob[0] == 'b' ? 1 : 0;
    Key stranger = 0;
    while (first.Place(stranger) == place) ++stranger;
    CHECK(Names(with(blob, [&](SnapshotTable& table) { table.gone.push_back(stranger); }), blob,
                "holds 1 keys that went of other partitions, first " + std::to_string(stranger)));
    for (const bool is_row : {false, true}) {
      CHECK(Names(with(blob,
                       [&](SnapshotTable& table) {
                         table.gone.push_back(is_row ? table.rows.keys[0] : table.gone[0]);
                       }),
                  blob, " is twice among those that changed or went"));
    }
  }
}

TEST_CASE_METHOD(Fixture, "who restores layers that do not fit is told",
                 "[checkpoint][increment]") {
  const auto read = [&](const std::function<void(Manifest&)>& change) {
    Manifest manifest = manifests[2];
    change(manifest);
    return server::ReadRows(store, manifest, [](const RowBlock&) { return absl::OkStatus(); });
  };
  CHECK(read([](Manifest&) {}).ok());
  CHECK(Says(read([](Manifest& m) {
               std::erase_if(m.blobs, [](const SnapshotBlob& blob) {
                 return blob.name.starts_with("step-12/p00001-");
               });
             }),
             "a/p00001-0000.snapshot: an increment of partition 1: want all rows of partition 1"));
  CHECK(Says(read([](Manifest& m) {
               std::erase_if(m.blobs, [](const SnapshotBlob& blob) {
                 return blob.name.starts_with("b/p00001-");
               });
             }),
             "partition 1 has no object in 'b', which came after it"));
  CHECK(Says(read([](Manifest& m) {
               m.layers.clear();
               std::erase_if(m.blobs,
                             [](const SnapshotBlob& blob) { return !blob.name.starts_with("c/"); });
             }),
             "is an increment, and the manifest has nothing that it builds on"));
}

}  // namespace
}  // namespace longtail::checkpoint
