// What is damaged is named: object, partition, tables, byte and bit, on each store: a program for
// each (CMakeLists.txt).
#include "checkpoint/verification.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/checked_reader.h"
#include "checkpoint/checkpoint_builder.h"
#include "io/open_store.h"
#include "support/passing_store.h"
#include "support/store_place.h"

namespace longtail::checkpoint {
namespace {

using test::Must;
using test::StorePlace;

constexpr const char* kManifest = "step-12/MANIFEST.json";

// A checkpoint of three tables. Without the store there is none.
struct Fixture {
  Fixture() {
    if (place == nullptr) return;
    store = Must(OpenStore(place->address()));
    manifest = built.Write(*store);
  }

  Verification Verify() const { return Must(VerifyCheckpoint(*store, "step-12")); }

  // Verifies with an object replaced, and puts it back.
  Verification VerifyWith(const std::string& object, const std::string& bytes) const {
    const std::string whole = Must(store->Read(object));
    Must(store->Write(object, bytes));
    Verification result = Verify();
    Must(store->Write(object, whole));
    return result;
  }

  // Verifies with the manifest as `change` leaves it.
  std::vector<Damage> VerifyWith(const std::function<void(Manifest&)>& change) const {
    Manifest changed = manifest;
    change(changed);
    built.WriteManifest(*store, changed);
    std::vector<Damage> damages = Verify().damages;
    built.WriteManifest(*store, manifest);
    return damages;
  }

  const std::unique_ptr<StorePlace> place = StorePlace::Make(LONGTAIL_TEST_STORE);
  std::unique_ptr<BlobStore> store;
  test::CheckpointBuilder built = test::ThreeTables();
  Manifest manifest;
};

bool Names(const std::vector<Damage>& damages, const std::string& object,
           const std::string& problem) {
  std::string all;
  for (const Damage& damage : damages) all += damage.object + ": " + damage.problem + "\n";
  INFO(all);
  CHECK_FALSE(damages.empty());
  return std::ranges::any_of(damages, [&](const Damage& damage) {
    return damage.object == object && damage.problem.find(problem) != std::string::npos;
  });
}

TEST_CASE_METHOD(Fixture, "a whole checkpoint is whole and all of it was read",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const Verification result = Verify();

  CHECK(result.is_whole());
  CHECK(result.objects == manifest.blobs.size() + 3);  // Two of the trainer's, the manifest.
  CHECK(result.rows == 150 + 90 + 6);
  CHECK(absl::IsNotFound(VerifyCheckpoint(*store, "step-13").status()));
}

TEST_CASE_METHOD(Fixture, "a flipped bit is named by object, partition, table, byte and bit",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  for (const SnapshotBlob& blob : manifest.blobs) {
    const std::string whole = Must(store->Read(blob.name));
    const SnapshotChunk chunk = Must(ReadSnapshotChunk("whole", AsBytes(whole)));
    std::vector<std::string> tables;
    for (const SnapshotTable& table : chunk.tables) tables.push_back(table.spec.name);
    // The header's fields and, on the way, all of the body.
    for (std::size_t byte = 0; byte < whole.size(); byte += 1 + whole.size() / 7) {
      const int bit = static_cast<int>((byte * 5 + 3) % 8);
      CAPTURE(blob.name, byte, bit);
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));

      const Verification result = VerifyWith(blob.name, flipped);

      REQUIRE(result.damages.size() == 1);
      const Damage& damage = result.damages[0];
      CHECK(damage.object == blob.name);
      CHECK(damage.partition == static_cast<std::uint32_t>(chunk.header.partition));
      CHECK(damage.tables == tables);
      CHECK(damage.bytes == ByteRange{.begin = byte, .end = byte + 1});
      CHECK(damage.bit == bit);
      CHECK(damage.problem.find("its checksum is ") != std::string::npos);
      CHECK(result.rows == 246);  // With the bit put back all rows can be looked at.
    }
  }
}

TEST_CASE_METHOD(Fixture, "a flipped bit of the trainer's state or the manifest is told",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  for (const std::string object : {"step-12/trainer-0.blob", "step-12/trainer-1.blob", kManifest}) {
    const std::string whole = Must(store->Read(object));
    for (std::size_t byte = 0; byte + 1 < whole.size(); byte += 1 + whole.size() / 20) {
      CAPTURE(object, byte);
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(flipped[byte] ^ 0x10);
      const Verification result = VerifyWith(object, flipped);
      if (object == kManifest && (whole[byte] == ' ' || whole[byte] == '\n') && result.is_whole()) {
        continue;  // JSON's white space says nothing.
      }
      REQUIRE(result.damages.size() == 1);
      CHECK(result.damages[0].object == object);
      CHECK_FALSE(result.damages[0].partition.has_value());
      if (object == kManifest) continue;
      CHECK(result.damages[0].bytes == ByteRange{.begin = byte, .end = byte + 1});
      const std::string entry = object == "step-12/trainer-0.blob" ? "dense" : "position";
      CHECK(result.damages[0].problem.starts_with("the trainer's '" + entry + "': its checksum"));
    }
  }
}

TEST_CASE_METHOD(Fixture, "all damage is told, not the first alone", "[checkpoint][verification]") {
  if (place == nullptr) return;
  const std::string first = manifest.blobs[1].name;
  const std::string second = manifest.blobs[4].name;
  const std::string third = manifest.blobs.back().name;
  Must(store->Remove(first));
  Must(store->Write(second, Must(store->Read(second)).substr(0, 99)));
  std::string bytes = Must(store->Read(third));
  bytes[80] ^= 1;
  bytes[90] ^= 1;
  Must(store->Write(third, bytes));
  Must(store->Remove("step-12/trainer-0.blob"));

  const std::vector<Damage> damages = Verify().damages;

  REQUIRE(damages.size() == 4);
  CHECK(Names(damages, first, "is not there, and the manifest names it"));
  CHECK(Names(damages, second, "has 99 bytes: want "));
  CHECK(damages[1].bytes == ByteRange{.begin = 99, .end = manifest.blobs[4].bytes});
  CHECK(Names(damages, third, "its checksum is "));
  CHECK(damages[2].bytes == ByteRange{.begin = 0, .end = manifest.blobs.back().bytes});
  CHECK_FALSE(damages[2].bit.has_value());
  CHECK(Names(damages, "step-12/trainer-0.blob", "the trainer's 'dense': is not there"));
}

TEST_CASE_METHOD(Fixture, "the tables of an unreadable chunk are those that its neighbours leave",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const auto tables_without = [&](std::size_t i) {
    const std::string whole = Must(store->Read(manifest.blobs[i].name));
    Must(store->Remove(manifest.blobs[i].name));
    const std::vector<Damage> damages = Verify().damages;
    Must(store->Write(manifest.blobs[i].name, whole));
    REQUIRE(damages.size() == 1);
    return damages[0].tables;
  };
  // Partition 0: many chunks of items, then users and rare ones.
  const auto of_first = static_cast<std::size_t>(std::ranges::count_if(
      manifest.blobs, [](const SnapshotBlob& blob) { return blob.name.find("/p00000-") < 99; }));
  REQUIRE(of_first >= 4);
  CHECK(tables_without(0) == std::vector<std::string>{"item"});
  CHECK(tables_without(1) == std::vector<std::string>{"item"});
  const SnapshotChunk before = Must(
      ReadSnapshotChunk("before", AsBytes(Must(store->Read(manifest.blobs[of_first - 2].name)))));
  REQUIRE(before.tables.back().spec.name == "user");
  CHECK(tables_without(of_first - 1) == std::vector<std::string>{"user", "rare"});
}

TEST_CASE_METHOD(Fixture, "what a manifest says and objects do not is told",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const std::string first = manifest.blobs[0].name;
  const std::string second = manifest.blobs[1].name;

  CHECK(Names(VerifyWith([](Manifest& m) { m.blobs[1].rows += 1; }), second,
              "rows: the manifest says "));
  CHECK(Names(VerifyWith([](Manifest& m) { m.blobs.erase(m.blobs.begin() + 1); }),
              manifest.blobs[2].name, "is chunk 2 where chunk 1 was to come"));
  CHECK(Names(VerifyWith([](Manifest& m) {
                std::erase_if(m.blobs, [](const SnapshotBlob& blob) {
                  return blob.name.starts_with("step-12/p00002-");
                });
              }),
              kManifest, "names no object of partition 2"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.partitions.erase(m.partitions.begin() + 3); }),
              kManifest, "says nothing of partition 3 of 4"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.partitions[1].partition = PartitionId{0}; }),
              kManifest, "names partition 0 twice"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.partitions[0].log_position = 7; }), first,
              "was cut at log position 100 and step 12: the manifest says 7 and 12"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.blobs[0].name = "step-12/p00004-0000.snapshot"; }),
              kManifest, "want a snapshot of one of the 4 partitions"));
  CHECK(Names(VerifyWith([](Manifest& m) { m.tables[0].spec.dim = 2; }), first,
              "table 0 'item' is not the manifest's"));
  CHECK(Verify().is_whole());
}

TEST_CASE_METHOD(Fixture, "a chunk that is missing at the end is told",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const auto last = std::ranges::find_if(
      manifest.blobs, [](const SnapshotBlob& blob) { return blob.name.find("/p00001-") < 99; });
  const auto at = last - manifest.blobs.begin() - 1;  // The last of partition 0.
  CHECK(Names(VerifyWith([&](Manifest& m) { m.blobs.erase(m.blobs.begin() + at); }),
              manifest.blobs[static_cast<std::size_t>(at) - 1].name,
              "is the last chunk that the manifest names, and says that more follow"));
}

TEST_CASE_METHOD(Fixture, "well checksummed objects in each other's place are told",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const std::string mine = manifest.blobs[0].name;
  const std::string other = manifest.blobs.back().name;
  const std::string bytes = Must(store->Read(mine));
  Must(store->Write(mine, Must(store->Read(other))));
  Must(store->Write(other, bytes));

  const std::vector<Damage> damages = VerifyWith([](Manifest& m) {
    std::swap(m.blobs.front(), m.blobs.back());
    std::swap(m.blobs.front().name, m.blobs.back().name);
  });

  CHECK(Names(damages, mine, "holds partition 3 of 4: want 0 of 4"));
  CHECK(Names(damages, mine, " keys of other partitions, first "));
  CHECK(Names(damages, other, "holds chunk 0: want that of its name"));
}

TEST_CASE_METHOD(Fixture, "a key in a wrong partition is told with its table",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const Key key = built.tables[1].rows.begin()->first;
  const std::uint32_t right = built.Place(key);
  built.misplaced[key] = right ^ 1;
  built.tables[0].rows.erase(key);
  built.tables[2].rows.erase(key);
  built.name = "bad";
  built.Write(*store);

  const Verification result = Must(VerifyCheckpoint(*store, "bad"));

  REQUIRE(result.damages.size() == 1);
  CHECK(result.damages[0].partition == (right ^ 1));
  CHECK(result.damages[0].tables == std::vector<std::string>{"user"});
  CHECK(result.damages[0].problem == "holds 1 keys of other partitions, first " +
                                         std::to_string(key) + " of partition " +
                                         std::to_string(right));
}

TEST_CASE_METHOD(Fixture, "of many damaged objects the bit is looked for in the first eight",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  REQUIRE(manifest.blobs.size() > 9);
  CheckedReader reader(*store);
  for (std::size_t i = 0; i < 10; ++i) {
    CAPTURE(i);
    const SnapshotBlob& blob = manifest.blobs[i];
    std::vector<Damage> damages;
    const CheckedObject object =
        Must(reader.Read(blob.name, blob.bytes, blob.checksum ^ 1, damages));  // Fits no bit.
    CHECK_FALSE(object.bytes.has_value());
    CHECK(damages.size() == 1);
    std::string bytes = Must(store->Read(blob.name));
    bytes[20] ^= 2;
    Must(store->Write(blob.name, bytes));
  }
  CheckedReader fresh(*store);
  std::vector<Damage> damages;
  for (std::size_t i = 0; i < 10; ++i) {
    const SnapshotBlob& blob = manifest.blobs[i];
    Must(fresh.Read(blob.name, blob.bytes, blob.checksum, damages));
    CHECK(damages.back().bit.has_value() == (i < 8));
  }
  CHECK(fresh.objects() == 10);
}

TEST_CASE_METHOD(Fixture, "a key that two chunks of a partition hold is told",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const SnapshotChunk first =
      Must(ReadSnapshotChunk("first", AsBytes(Must(store->Read(manifest.blobs[0].name)))));
  SnapshotChunk second =
      Must(ReadSnapshotChunk("second", AsBytes(Must(store->Read(manifest.blobs[1].name)))));
  const Key twice = first.tables[0].rows.keys[0];
  second.tables[0].rows.keys[0] = twice;
  const std::string bytes = EncodeSnapshotChunk(second);
  Must(store->Write(manifest.blobs[1].name, bytes));

  const std::vector<Damage> damages = VerifyWith([&](Manifest& m) {
    m.blobs[1].bytes = bytes.size();
    m.blobs[1].checksum = Checksum(AsBytes(bytes));
  });

  REQUIRE(damages.size() == 1);
  CHECK(damages[0].tables == std::vector<std::string>{"item"});
  CHECK(damages[0].problem ==
        "key " + std::to_string(twice) + " is twice among the rows of this partition");
}

// Reads of some objects fail.
class FailingStore final : public test::PassingStore {
 public:
  FailingStore(BlobStore& under, absl::Status status, std::vector<std::string> failing)
      : PassingStore(under), status_(std::move(status)), failing_(std::move(failing)) {}

  absl::StatusOr<std::string> Read(std::string_view name) override {
    if (std::ranges::find(failing_, name) == failing_.end()) return PassingStore::Read(name);
    return status_;
  }

 private:
  const absl::Status status_;
  const std::vector<std::string> failing_;
};

TEST_CASE_METHOD(Fixture, "damage that the store itself finds is told with its tables",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  FailingStore failing(*store, absl::DataLossError("part 3 is damaged"),
                       {manifest.blobs[1].name, "step-12/trainer-1.blob"});

  const std::vector<Damage> damages = Must(VerifyCheckpoint(failing, "step-12")).damages;

  REQUIRE(damages.size() == 2);
  CHECK(damages[0].object == manifest.blobs[1].name);
  CHECK(damages[0].partition == 0);
  CHECK(damages[0].tables == std::vector<std::string>{"item"});
  CHECK(damages[0].problem == "part 3 is damaged");
  CHECK(damages[1].problem == "the trainer's 'position': part 3 is damaged");
}

TEST_CASE_METHOD(Fixture, "a store that is away is no damage, one object that cannot be read is",
                 "[checkpoint][verification]") {
  if (place == nullptr) return;
  const std::vector<SnapshotBlob>& blobs = manifest.blobs;
  const absl::Status silence = absl::UnavailableError("no answer");
  FailingStore one(*store, silence, {blobs[0].name, blobs[1].name, blobs[3].name});
  const std::vector<Damage> damages = Must(VerifyCheckpoint(one, "step-12")).damages;
  CHECK(damages.size() == 3);
  CHECK(Names(damages, blobs[1].name, "cannot be read: no answer"));

  FailingStore away(*store, silence, {blobs[0].name, blobs[1].name, blobs[2].name});
  CHECK(absl::IsUnavailable(VerifyCheckpoint(away, "step-12").status()));
}

}  // namespace
}  // namespace longtail::checkpoint
