// What a server finds of its logs when it starts: the newest whole one of each lane, and whose.
#include "server/server_log.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "io/file_store.h"
#include "protocol/lane_log.h"
#include "protocol/lane_log_names.h"
#include "server/cluster_fixture.h"
#include "server/scratch_directory.h"

namespace longtail::server {
namespace {

using test::Must;
using test::Says;

struct Logs {
  const test::ScratchDirectory directory;
  const std::unique_ptr<FileStore> store = Must(FileStore::Open(directory.path()));

  // A log of that lane that has one record: its map.
  void Write(std::uint32_t lane, std::uint64_t log, std::uint64_t cluster = 9,
             std::uint64_t first = 0) const {
    auto map = std::make_shared<ClusterMap>();
    map->cluster = cluster;
    map->lanes = {NodeId{1}, NodeId{2}};
    map->lane_of = {0, 1};
    map->lane_epochs = {4, 4};
    std::string bytes;
    std::string frame;
    AppendLaneLogHeader({.lane = lane, .cluster = cluster, .first = first}, bytes);
    AppendLogRecord(MapReply{.request = 0, .status = {}, .waits_for = {}, .map = map},
                    {first, first, 1000}, frame, bytes);
    Must(store->Write(LaneLogName(LaneLogPrefix("s", NodeId{lane}, log), first), bytes));
  }
  ServerLog Open() const { return Must(OpenServerLog(*store, "s", 77, 1000)); }
  std::vector<std::string> Names() const { return Must(store->List("s/lane-")); }
};

TEST_CASE_METHOD(Logs, "a server's logs have one name for ever", "[server][log]") {
  const ServerLog first = Open();
  CHECK(first.id == 77);
  CHECK_FALSE(first.was_there);
  CHECK(first.next_log == 1);
  const ServerLog again = Must(OpenServerLog(*store, "s", 78, 1000));
  CHECK(again.id == 77);
  CHECK(again.was_there);
  CHECK(Must(OpenServerLog(*store, "other", 79, 1000)).id == 79);

  Must(store->Write("s/log", "longtail server log "));
  CHECK(absl::IsDataLoss(OpenServerLog(*store, "s", 78, 1000).status()));
  Must(store->Remove("s/log"));
  Write(1, 1);
  CHECK(Says(OpenServerLog(*store, "s", 78, 1000).status(), "is there without 's/log'"));
}

TEST_CASE_METHOD(Logs, "of each lane the newest whole log is taken, and the others go",
                 "[server][log]") {
  Open();
  Write(1, 2);
  Write(1, 5);
  Write(1, 8, 9, 40);  // No base stands for what was before.
  Write(2, 7);
  Must(store->Write(LaneLogGone(LaneLogPrefix("s", NodeId{2}, 7)), ""));

  const ServerLog found = Open();

  REQUIRE(found.lanes.size() == 1);
  CHECK(found.lanes[0].lane == NodeId{1});
  CHECK(found.lanes[0].log == 5);
  CHECK(found.lanes[0].recovered.core->log_end() == 1);
  CHECK(found.lanes[0].recovered.epochs == std::vector<EpochStart>{{4, 0}});
  CHECK(found.lanes[0].recovered.tail.end() == 1);
  CHECK(found.next_log == 9);
  CHECK(Names() == std::vector<std::string>{LaneLogName(LaneLogPrefix("s", NodeId{1}, 5), 0)});
}

TEST_CASE_METHOD(Logs, "logs that are kept are none that a lane comes back with", "[server][log]") {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const LogKeeping keeping{.keep = absl::Hours(1), .now = now};
  Open();
  Write(1, 2);
  Write(1, 5);
  Write(1, 8, 9, 40);  // Not whole: it goes, kept or not.
  Write(2, 3);         // It came back under a smaller number: the other is over.
  Write(2, 7);
  const auto gone = [](std::uint32_t lane, std::uint64_t log) {
    return LaneLogGone(LaneLogPrefix("s", NodeId{lane}, log));
  };
  Must(store->Write(gone(2, 7), LaneLogGoneText(now - absl::Minutes(59))));

  const auto open = [&](const LogKeeping& of) {
    ServerLog found = Must(OpenServerLog(*store, "s", 77, 1000, of));
    REQUIRE(found.lanes.size() == 2);
    CHECK(found.lanes[0].log == 5);
    CHECK(found.lanes[1].log == 3);
  };
  const auto first = [](std::uint32_t lane, std::uint64_t log) {
    return LaneLogName(LaneLogPrefix("s", NodeId{lane}, log), 0);
  };
  open(keeping);
  CHECK(Names() == std::vector<std::string>{first(1, 2), gone(1, 2), first(1, 5), first(2, 3),
                                            first(2, 7), gone(2, 7)});
  CHECK(LaneLogGoneSince(Must(store->Read(gone(1, 2)))) == now);
  // Whatever is left of one that is over, it is not taken for the lane's.
  Must(store->Remove(first(2, 7)));
  open(keeping);
  // An hour later they are too old, one after the other; and at once where none is kept.
  open({.keep = absl::Hours(1), .now = now + absl::Minutes(2)});
  CHECK(Names() == std::vector<std::string>{first(1, 2), gone(1, 2), first(1, 5), first(2, 3)});
  open({.now = now});
  CHECK(Names() == std::vector<std::string>{first(1, 5), first(2, 3)});
}

TEST_CASE_METHOD(Logs, "logs of two clusters are refused", "[server][log]") {
  Open();
  Write(1, 1);
  Write(2, 1, 10);
  CHECK(Says(OpenServerLog(*store, "s", 77, 1000).status(), "of more than one cluster"));
}

}  // namespace
}  // namespace longtail::server
