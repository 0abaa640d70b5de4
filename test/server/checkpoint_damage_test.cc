// A damaged checkpoint is refused with the file and the cause, whatever the damage.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "protocol/manifest.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

namespace fs = std::filesystem;
using test::Must;
using test::ReadWhole;
using test::Says;
using test::WriteWhole;

// Two checkpoints of one cluster, trained in between.
struct Fixture {
  Fixture() {
    const auto cluster =
        Must(Cluster::Embedded({.lanes = 2, .partitions = 2, .store = directory.path()}));
    const TableId table = Must(cluster->CreateTable(test::SpecOf("t", 2, AdagradSpec{})));
    const auto worker = Must(cluster->Connect());
    Rng rng(4);
    for (const char* name : {"old", "new"}) {
      Must(worker->Push(table, test::Keys(rng, 40, 30), test::Floats(rng, 80, -1, 1)));
      Must(cluster->Checkpoint(name, {{"dense", "weights of step " + std::string(name)}}));
    }
    for (const auto& entry : fs::directory_iterator(directory / "new")) {
      files.push_back(entry.path());
    }
  }

  // What reading all of the newer checkpoint gives: its rows and the trainer's state.
  absl::Status ReadBack() const {
    const CheckpointName name{.store = directory.path(), .name = "new"};
    const absl::Status rows = Cluster::Restore({.partitions = 4}, name).status();
    return rows.ok() ? ReadTrainerState(name).status() : rows;
  }

  // The damage is told, by code and with the file's name, and is the only thing wrong.
  void CheckTold(const fs::path& file) const {
    CAPTURE(file.string());
    const absl::Status status = ReadBack();
    INFO(status.ToString());
    CHECK((absl::IsDataLoss(status) || absl::IsInvalidArgument(status)));
    CHECK(Says(status, "new/" + file.filename().string()));
  }

  const test::ScratchDirectory directory;
  std::vector<fs::path> files;
};

TEST_CASE_METHOD(Fixture, "a whole checkpoint has a file of each kind and reads back",
                 "[server][checkpoint]") {
  CHECK(files.size() == 4);  // Two partitions, the trainer's state, the manifest.
  CHECK(ReadBack().ok());
}

TEST_CASE_METHOD(Fixture, "a truncated file is told", "[server][checkpoint]") {
  for (const fs::path& file : files) {
    const std::string bytes = ReadWhole(file);
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, bytes.size() / 2, bytes.size() - 2}) {
      CAPTURE(size);
      WriteWhole(file, bytes.substr(0, size));
      CheckTold(file);
    }
    WriteWhole(file, bytes);
  }
  CHECK(ReadBack().ok());
}

TEST_CASE_METHOD(Fixture, "a flipped byte is told wherever it is", "[server][checkpoint]") {
  for (const fs::path& file : files) {
    const std::string bytes = ReadWhole(file);
    for (std::size_t i = 0; i < 12; ++i) {
      const std::size_t at = i * (bytes.size() - 2) / 11;
      CAPTURE(at);
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
      WriteWhole(file, flipped);
      if (file.filename() == kManifestBlobName) {
        // JSON's white space may change; what it says may not.
        const absl::Status status = ReadBack();
        INFO(status.ToString());
        CHECK((status.ok() ? bytes[at] == ' ' || bytes[at] == '\n'
                           : Says(status, "new/MANIFEST.json")));
      } else {
        CheckTold(file);
      }
    }
    WriteWhole(file, bytes);
  }
}

TEST_CASE_METHOD(Fixture, "a file that is gone is told", "[server][checkpoint]") {
  for (const fs::path& file : files) {
    if (file.filename() == kManifestBlobName) continue;
    const std::string bytes = ReadWhole(file);
    fs::remove(file);
    CheckTold(file);
    CHECK(Says(ReadBack(), "the manifest names it and it is not there"));
    WriteWhole(file, bytes);
  }
  fs::remove(directory / "new/MANIFEST.json");
  CHECK(absl::IsNotFound(ReadBack()));
}

TEST_CASE_METHOD(Fixture, "another checkpoint's file in the place of one is told",
                 "[server][checkpoint]") {
  for (const fs::path& file : files) {
    if (file.filename() == kManifestBlobName) continue;
    const std::string bytes = ReadWhole(file);
    WriteWhole(file, ReadWhole(directory.path() + "/old/" + file.filename().string()));
    CheckTold(file);
    WriteWhole(file, bytes);
  }
}

TEST_CASE_METHOD(Fixture, "a checkpoint of a newer version is refused by name",
                 "[server][checkpoint]") {
  const fs::path file = directory / "new/MANIFEST.json";
  std::string text = ReadWhole(file);
  const std::size_t at = text.find("\"version\": 1");
  REQUIRE(at != std::string::npos);
  text.replace(at, 12, "\"version\": 2");
  WriteWhole(file, text);

  CheckTold(file);
  CHECK(Says(ReadBack(), "2 is newer than 1"));
}

TEST_CASE_METHOD(Fixture, "a damaged manifest is told when checkpoints are listed",
                 "[server][checkpoint]") {
  const fs::path file = directory / "old/MANIFEST.json";
  WriteWhole(file, ReadWhole(file).substr(0, 50));

  const absl::Status status = ListCheckpoints(directory.path()).status();

  CHECK(absl::IsDataLoss(status));
  CHECK(Says(status, "old/MANIFEST.json"));
}

}  // namespace
}  // namespace longtail
