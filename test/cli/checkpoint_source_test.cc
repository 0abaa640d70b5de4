#include "cli/checkpoint_source.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <utility>

#include "cli/checkpoint_fixture.h"
#include "protocol/cluster_map.h"
#include "server/checkpoint_reader.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;
using test::Must;
using test::Says;

TEST_CASE_METHOD(test::CheckpointFixture, "a checkpoint is found however its directory is written",
                 "[cli][checkpoint_source]") {
  fs::create_directory_symlink(checkpoint(), store() + "/newest");
  for (const std::string& address :
       {checkpoint(), checkpoint() + "/", checkpoint() + "/.", checkpoint() + "/../step-8",
        checkpoint() + "/MANIFEST.json", "file:" + checkpoint(), store() + "/newest",
        fs::relative(checkpoint()).string()}) {
    CAPTURE(address);
    const CheckpointName name = Must(FindCheckpoint(address));
    CHECK(name.store == fs::canonical(store()).string());
    CHECK(name.name == "step-8");
    CHECK(Must(OpenCheckpoint(address, "")).manifest.step == 8);
  }
}

TEST_CASE_METHOD(test::CheckpointFixture, "where no checkpoint is, the sentence says what is there",
                 "[cli][checkpoint_source]") {
  fs::create_directory(store() + "/half");
  fs::create_directory(store() + "/a");
  fs::copy_file(checkpoint() + "/MANIFEST.json", store() + "/a/MANIFEST.json");

  CHECK(Says(FindCheckpoint(store()).status(),
             "checkpoint '" + store() +
                 "': no MANIFEST.json in this directory; want one of those below it: a, step-8"));
  CHECK(Says(FindCheckpoint(store() + "/half").status(), "nor in one below it"));
  for (const std::string& address :
       {store() + "/nope", checkpoint() + "/p00000-0000.snapshot", std::string()}) {
    const absl::Status status = FindCheckpoint(address).status();
    CHECK(absl::IsNotFound(status));
    CHECK(Says(status, "checkpoint '" + address + "': there is no such directory"));
  }
}

TEST_CASE("a checkpoint in another store is the last part of its address",
          "[cli][checkpoint_source]") {
  const auto name = [](const std::string& address) { return Must(FindCheckpoint(address)); };

  CHECK(name("rados://pool/a/b/step-8").store == "rados://pool/a/b");
  CHECK(name("rados://pool/a/b/step-8").name == "step-8");
  CHECK(name("rados://pool/step-8?user=x&mon=m/n").store == "rados://pool?user=x&mon=m/n");
  CHECK(name("rados://pool/step-8?user=x&mon=m/n").name == "step-8");
  CHECK(name("rados://pool/n/step-8/MANIFEST.json?user=x").store == "rados://pool/n?user=x");
  CHECK(name("rados://pool/n/step-8/MANIFEST.json?user=x").name == "step-8");
  for (const std::string address : {"rados://pool", "rados://pool?user=x", "rados://pool/n/"}) {
    const absl::Status status = FindCheckpoint(address).status();
    CHECK(absl::IsInvalidArgument(status));
    CHECK(Says(status, "checkpoint '" + address + "': want rados://POOL[/NAMESPACE]/CHECKPOINT"));
  }
}

TEST_CASE_METHOD(test::CheckpointFixture, "all tables are selected, or the one that is named",
                 "[cli][checkpoint_source]") {
  CHECK(Must(OpenCheckpoint(checkpoint(), "")).selected == std::vector<std::size_t>{0, 1, 2});
  const CheckpointSource source = Must(OpenCheckpoint(checkpoint(), "user"));
  CHECK(source.selected == std::vector<std::size_t>{1});
  CHECK(source.spec(0).name == "user");

  const absl::Status status = OpenCheckpoint(checkpoint(), "usr").status();
  CHECK(absl::IsNotFound(status));
  CHECK(Says(status, "table 'usr': checkpoint '" + checkpoint() + "' has [item, user, empty]"));
}

TEST_CASE_METHOD(test::CheckpointFixture, "reading all gives each row once and counts the sessions",
                 "[cli][checkpoint_source]") {
  CheckpointSource source = Must(OpenCheckpoint(checkpoint(), "item"));
  CHECK_FALSE(source.sessions.has_value());
  std::map<Key, std::uint32_t> counts;

  Must(ReadAll(source, [&](std::size_t place, const RowBlock& rows) {
    CHECK(place == 0);
    for (std::size_t i = 0; i < rows.keys.size(); ++i) {
      CHECK(counts.try_emplace(rows.keys[i], rows.counts[i]).second);
    }
  }));

  CHECK(source.sessions == 1);
  REQUIRE(counts.size() == items().size());
  for (const auto& [key, row] : items()) CHECK(counts[key] == row.count);
}

TEST_CASE_METHOD(test::CheckpointFixture, "only the chunks of the wanted partitions are read",
                 "[cli][checkpoint_source]") {
  const CheckpointSource source = Must(OpenCheckpoint(checkpoint(), "item"));
  for (const int other : {0, 1, 3}) {
    fs::remove(checkpoint() + "/p0000" + std::to_string(other) + "-0000.snapshot");
  }
  std::map<Key, std::uint32_t> counts;

  Must(ReadPartitions(source, {PartitionId{2}}, [&](std::size_t, const RowBlock& rows) {
    for (std::size_t i = 0; i < rows.keys.size(); ++i) counts[rows.keys[i]] = rows.counts[i];
  }));

  std::map<Key, std::uint32_t> want;
  for (const auto& [key, row] : items()) {
    if (PartitionOf(key, kPartitions) == PartitionId{2}) want[key] = row.count;
  }
  CHECK_FALSE(want.empty());
  CHECK(counts == want);
  const auto ignore = [](std::size_t, const RowBlock&) {};
  CHECK(Says(ReadPartitions(source, {PartitionId{1}}, ignore), "p00001-0000.snapshot"));
}

TEST_CASE_METHOD(test::CheckpointFixture, "a blob under another partition's name hides no row",
                 "[cli][checkpoint_source]") {
  CheckpointSource source = Must(OpenCheckpoint(checkpoint(), "item"));
  std::vector<SnapshotBlob>& blobs = source.manifest.blobs;
  const std::string first = test::ReadWhole(store() + "/" + blobs[0].name);
  test::WriteWhole(store() + "/" + blobs[0].name, test::ReadWhole(store() + "/" + blobs[1].name));
  test::WriteWhole(store() + "/" + blobs[1].name, first);
  std::swap(blobs[0].name, blobs[1].name);

  const absl::Status status =
      ReadPartitions(source, {PartitionId{0}}, [](std::size_t, const RowBlock&) {});

  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status, "step-8/p00000-0000.snapshot: holds partition 1 of 4: want that of its name"));
}

}  // namespace
}  // namespace longtail::cli
