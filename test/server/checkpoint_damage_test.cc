// A damaged checkpoint is refused with the blob and the cause, whatever the damage, from each
// store: a program for each (CMakeLists.txt).
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/open_store.h"
#include "server/cluster_fixture.h"
#include "support/store_place.h"

namespace longtail {
namespace {

using test::Must;
using test::Says;
using test::StorePlace;

constexpr const char* kManifest = "new/MANIFEST.json";

// Two checkpoints of one cluster, trained in between. Without the store there is none.
struct Fixture {
  Fixture() {
    if (place == nullptr) return;
    store = Must(OpenStore(place->address()));
    const auto cluster =
        Must(Cluster::Embedded({.lanes = 2, .partitions = 2, .store = place->address()}));
    const TableId table = Must(cluster->CreateTable(test::SpecOf("t", 2, AdagradSpec{})));
    const auto worker = Must(cluster->Connect());
    Rng rng(4);
    for (const char* name : {"old", "new"}) {
      Must(worker->Push(table, test::Keys(rng, 40, 30), test::Floats(rng, 80, -1, 1)));
      Must(cluster->Checkpoint(name, {{"dense", "weights of step " + std::string(name)}}));
    }
    blobs = Must(store->List("new/"));
  }

  // What reading all of the newer checkpoint gives: its rows and the trainer's state.
  absl::Status ReadBack() const {
    const CheckpointName name{.store = place->address(), .name = "new"};
    const absl::Status rows = Cluster::Restore({.partitions = 4}, name).status();
    return rows.ok() ? ReadTrainerState(name).status() : rows;
  }

  // The damage is told, by code and with the blob's name, and is the only thing wrong.
  void CheckTold(const std::string& blob) const {
    CAPTURE(blob);
    const absl::Status status = ReadBack();
    INFO(status.ToString());
    CHECK((absl::IsDataLoss(status) || absl::IsInvalidArgument(status)));
    CHECK(Says(status, blob));
  }

  const std::unique_ptr<StorePlace> place = StorePlace::Make(LONGTAIL_TEST_STORE);
  std::unique_ptr<BlobStore> store;
  std::vector<std::string> blobs;
};

TEST_CASE_METHOD(Fixture, "a whole checkpoint has a blob of each kind and reads back",
                 "[server][checkpoint]") {
  if (place == nullptr) return;
  CHECK(blobs.size() == 4);  // Two partitions, the trainer's state, the manifest.
  CHECK(ReadBack().ok());
}

TEST_CASE_METHOD(Fixture, "a truncated blob is told", "[server][checkpoint]") {
  if (place == nullptr) return;
  for (const std::string& blob : blobs) {
    const std::string bytes = Must(store->Read(blob));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, bytes.size() / 2, bytes.size() - 2}) {
      CAPTURE(size);
      Must(store->Write(blob, bytes.substr(0, size)));
      CheckTold(blob);
    }
    Must(store->Write(blob, bytes));
  }
  CHECK(ReadBack().ok());
}

TEST_CASE_METHOD(Fixture, "a flipped byte is told wherever it is", "[server][checkpoint]") {
  if (place == nullptr) return;
  for (const std::string& blob : blobs) {
    const std::string bytes = Must(store->Read(blob));
    for (std::size_t i = 0; i < 12; ++i) {
      const std::size_t at = i * (bytes.size() - 2) / 11;
      CAPTURE(at);
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
      Must(store->Write(blob, flipped));
      if (blob == kManifest) {
        // JSON's white space may change; what it says may not.
        const absl::Status status = ReadBack();
        INFO(status.ToString());
        CHECK((status.ok() ? bytes[at] == ' ' || bytes[at] == '\n' : Says(status, kManifest)));
      } else {
        CheckTold(blob);
      }
    }
    Must(store->Write(blob, bytes));
  }
}

TEST_CASE_METHOD(Fixture, "a blob that is gone is told", "[server][checkpoint]") {
  if (place == nullptr) return;
  for (const std::string& blob : blobs) {
    if (blob == kManifest) continue;
    const std::string bytes = Must(store->Read(blob));
    Must(store->Remove(blob));
    CheckTold(blob);
    CHECK(Says(ReadBack(), "the manifest names it and it is not there"));
    Must(store->Write(blob, bytes));
  }
  Must(store->Remove(kManifest));
  CHECK(absl::IsNotFound(ReadBack()));
}

TEST_CASE_METHOD(Fixture, "another checkpoint's blob in the place of one is told",
                 "[server][checkpoint]") {
  if (place == nullptr) return;
  for (const std::string& blob : blobs) {
    if (blob == kManifest) continue;
    const std::string bytes = Must(store->Read(blob));
    Must(store->Write(blob, Must(store->Read("old/" + blob.substr(4)))));
    CheckTold(blob);
    Must(store->Write(blob, bytes));
  }
}

TEST_CASE_METHOD(Fixture, "a checkpoint of a newer version is refused by name",
                 "[server][checkpoint]") {
  if (place == nullptr) return;
  const std::string blob = kManifest;
  std::string text = Must(store->Read(blob));
  const std::size_t at = text.find("\"version\": 1");
  REQUIRE(at != std::string::npos);
  text.replace(at, 12, "\"version\": 3");
  Must(store->Write(blob, text));

  CheckTold(blob);
  CHECK(Says(ReadBack(), "3 is newer than 2"));
}

TEST_CASE_METHOD(Fixture, "a damaged manifest is told when checkpoints are listed",
                 "[server][checkpoint]") {
  if (place == nullptr) return;
  const std::string blob = "old/MANIFEST.json";
  Must(store->Write(blob, Must(store->Read(blob)).substr(0, 50)));

  const absl::Status status = ListCheckpoints(place->address()).status();

  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, "old/MANIFEST.json"));
}

}  // namespace
}  // namespace longtail
