#include "server/snapshot_name.h"

#include <catch2/catch.hpp>

namespace longtail::server {
namespace {

TEST_CASE("a snapshot's name says its partition and chunk", "[server][snapshot_name]") {
  CHECK(SnapshotName("a", {PartitionId{12}, 3}) == "a/p00012-0003.snapshot");
  CHECK(SnapshotName("step-7", {PartitionId{65535}, 12345}) == "step-7/p65535-12345.snapshot");

  for (const SnapshotPlace place :
       {SnapshotPlace{PartitionId{0}, 0}, SnapshotPlace{PartitionId{40321}, 17},
        SnapshotPlace{PartitionId{123456}, 4294967295}}) {
    CHECK(PlaceOfSnapshot(SnapshotName("any/where-1-2", place)) == place);
  }
}

TEST_CASE("a name that is not as we write it has no place", "[server][snapshot_name]") {
  for (const char* name :
       {"", "a", "a/", "p00012-0003.snapshot", "a/p12-0003.snapshot", "a/p00012-3.snapshot",
        "a/p00012-0003.snapshot~", "a/p00012-0003.snap", "a/p00012.snapshot", "a/p-1-0003.snapshot",
        "a/p00012-.snapshot", "a/q00012-0003.snapshot", "a/p99999999999-0003.snapshot",
        "a/p00012-0003", "a/p000012-0003.snapshot"}) {
    CAPTURE(name);
    CHECK(PlaceOfSnapshot(name) == std::nullopt);
  }
}

}  // namespace
}  // namespace longtail::server
