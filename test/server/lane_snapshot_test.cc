// A lane's snapshot: what is written, when it is refused, what a failed write leaves.
#include "server/lane_snapshot.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/checksum.h"
#include "protocol/snapshot_format.h"
#include "protocol/store_write.h"
#include "server/lane_fixture.h"

namespace longtail::server {
namespace {

constexpr PartitionId kP0{0};
constexpr PartitionId kP2{2};
constexpr SessionId kSession{10};
using test::kWorkerNode;

using Fixture = test::LaneFixture;

struct SynchronousFixture : Fixture {
  SynchronousFixture() : Fixture(StepMode::kSynchronous, 2) {}
};

// Slices so small that it takes a step for each row.
struct SlowFixture : Fixture {
  explicit SlowFixture(std::uint64_t kept_bytes_max = 1000)
      : Fixture(StepMode::kAsynchronous, 2, 0,
                {.first_ticket = 1, .slice_bytes = 1, .kept_bytes_max = kept_bytes_max}) {
    Send(CreateTable{1, TableId{1}, Spec("items", kDim)});
    PushItems(0, kItems);
  }

  // Moves so many items by -1.
  void PushItems(std::uint64_t sequence, std::size_t count) {
    SendPush(test::MakePush(kSession, 0,
                            {{.partition = kP0,
                              .table = TableId{1},
                              .dim = kDim,
                              .sequence = sequence,
                              .keys = {items.begin(), items.begin() + static_cast<int>(count)},
                              .gradients = std::vector<float>(count * kDim, 1)}}));
  }

  static constexpr std::size_t kItems = 50;
  static constexpr std::uint32_t kDim = 8;
  const std::vector<Key> items = test::KeysOf(kP0, 4, kItems);
};

// Lets time pass and answers writes until no more is wanted, and gives the reply. `meanwhile` is
// called before each.
SnapshotReply Finished(Fixture& fixture, std::map<std::string, std::string>& blobs,
                       const std::function<void()>& meanwhile = {}) {
  std::deque<StoreWrite> writing;
  const auto take = [&] {
    for (StoreWrite& write : fixture.effects.writes) writing.push_back(std::move(write));
    fixture.effects.writes.clear();
  };
  for (take(); fixture.effects.wake_at || !writing.empty(); take()) {
    // What it asks for now, whatever it answers to others meanwhile.
    const bool wakes = fixture.effects.wake_at.has_value();
    if (meanwhile) meanwhile();
    take();
    fixture.effects.Clear();
    if (wakes) {
      fixture.lane.Tick(fixture.now, fixture.effects);
      continue;
    }
    const StoreWrite write = std::move(writing.front());
    writing.pop_front();
    const auto store = [&](const std::string& name, const std::string& bytes) {
      blobs[name] = bytes;
      return absl::OkStatus();
    };
    fixture.lane.OnStored(CarryOutWrite(write, store), fixture.now, fixture.effects);
  }
  return fixture.Answer<SnapshotReply>();
}

// A snapshot's rows of the second table.
std::vector<float> Items(const std::map<std::string, std::string>& blobs) {
  std::vector<float> values;
  for (const auto& [name, bytes] : blobs) {
    const auto chunk = ReadSnapshotChunk(name, AsBytes(bytes));
    REQUIRE(chunk.ok());
    for (const SnapshotTable& table : chunk->tables) {
      if (table.rows.table != TableId{1}) continue;
      values.insert(values.end(), table.rows.values.begin(), table.rows.values.end());
    }
  }
  return values;
}

TEST_CASE_METHOD(Fixture, "a snapshot holds the rows and sessions of each partition",
                 "[server][snapshot]") {
  SendPush(test::MakePush(kSession, 4, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));
  Send(SnapshotRequest{33, "cut"});
  CHECK(effects.sends.empty());
  std::map<std::string, std::string> blobs;

  const SnapshotReply reply = Finished(*this, blobs);

  CHECK(reply.request == 33);
  CHECK(reply.status.ok());
  REQUIRE(reply.blobs.size() == 2);
  REQUIRE(reply.positions.size() == 2);
  CHECK(reply.positions[1].partition == kP2);
  CHECK(reply.positions[1].step == 4);
  for (const SnapshotBlob& blob : reply.blobs) {
    CAPTURE(blob.name);
    REQUIRE(blobs.contains(blob.name));
    CHECK(blob.bytes == blobs[blob.name].size());
    CHECK(blob.checksum == Checksum(AsBytes(blobs[blob.name])));
    CHECK(blob.rows == 1);
  }
  const auto chunk = ReadSnapshotChunk("x", AsBytes(blobs.at("cut/p00002-0000.snapshot")));
  REQUIRE(chunk.ok());
  CHECK(chunk->header.partition == kP2);
  CHECK(chunk->header.partition_count == 4);
  CHECK(chunk->header.log_position == lane.FindPartition(kP2)->log_position());
  CHECK(chunk->header.is_last);
  REQUIRE(chunk->tables.size() == 1);
  CHECK(chunk->tables[0].rows.keys == std::vector<Key>{key2});
  CHECK(chunk->tables[0].rows.values == std::vector<float>{1});
  CHECK(chunk->tables[0].rows.last_steps == std::vector<std::uint32_t>{4});
  REQUIRE(chunk->sessions.size() == 2);
  CHECK(chunk->sessions[0] ==
        SessionRecord{.session = kSession, .rank = 0, .next_sequence = 1, .first_step = 0});
}

TEST_CASE_METHOD(SynchronousFixture, "a snapshot is refused while a step is under way",
                 "[server][snapshot]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP2, 0, 2)}));

  Send(SnapshotRequest{33, "cut"});

  CHECK(effects.writes.empty());
  const absl::Status status = Answer<SnapshotReply>().status;
  CHECK(Answer<SnapshotReply>().request == 33);
  CHECK(absl::IsFailedPrecondition(status));
  CHECK(std::string(status.message())
            .find("snapshot 'cut': partition 2 holds pushes of step 0, which has not ended") !=
        std::string::npos);
}

TEST_CASE_METHOD(SynchronousFixture, "a snapshot is taken between steps", "[server][snapshot]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));
  SendEnd(0, 1, 0);
  SendEnd(1, 0, 0);
  Send(SnapshotRequest{33, "cut"});
  std::map<std::string, std::string> blobs;

  CHECK(Finished(*this, blobs).status.ok());
  CHECK(blobs.size() == 2);
}

TEST_CASE_METHOD(Fixture, "a failed write ends the snapshot with its error", "[server][snapshot]") {
  Send(SnapshotRequest{33, "cut"});
  REQUIRE(effects.writes.size() == 2);
  const std::vector<std::uint64_t> tickets = {effects.writes[0].ticket, effects.writes[1].ticket};
  effects.Clear();

  lane.OnStored({tickets[0], absl::OkStatus()}, now, effects);
  CHECK(effects.sends.empty());
  lane.OnStored({tickets[1], absl::ResourceExhaustedError("disk full")}, now, effects);

  CHECK(effects.writes.empty());
  CHECK(Answer<SnapshotReply>().status == absl::ResourceExhaustedError("disk full"));
  Send(SnapshotRequest{34, "again"});
  std::map<std::string, std::string> blobs;
  CHECK(Finished(*this, blobs).status.ok());
  CHECK(blobs.contains("again/p00000-0000.snapshot"));
}

TEST_CASE_METHOD(Fixture, "one failed write of a partition's many fails the snapshot",
                 "[server][snapshot]") {
  constexpr std::uint32_t kDim = 4096;  // Rows so wide that a partition has two chunks.
  constexpr std::size_t kRows = 2100;
  Send(CreateTable{1, TableId{1}, Spec("wide", kDim)});
  SendPush(test::MakePush(kSession, 0,
                          {{.partition = kP0,
                            .table = TableId{1},
                            .dim = kDim,
                            .keys = test::KeysOf(kP0, 4, kRows),
                            .gradients = std::vector<float>(kRows * kDim, 1)}}));
  REQUIRE(Answer<Acknowledgement>().status.ok());
  Send(SnapshotRequest{33, "cut"});
  for (int i = 0; i < 200 && effects.writes.size() < 2; ++i) lane.Tick(now, effects);
  REQUIRE(effects.writes.size() == 2);
  const std::vector<std::uint64_t> tickets = {effects.writes[0].ticket, effects.writes[1].ticket};
  effects.Clear();

  lane.OnStored({tickets[0], absl::ResourceExhaustedError("disk full")}, now, effects);
  CHECK(effects.sends.empty());
  lane.OnStored({tickets[1], absl::OkStatus()}, now, effects);

  CHECK(effects.writes.empty());
  CHECK(Answer<SnapshotReply>().status == absl::ResourceExhaustedError("disk full"));
}

TEST_CASE_METHOD(Fixture, "a second snapshot is refused while one is under way",
                 "[server][snapshot]") {
  Send(SnapshotRequest{33, "first"});
  REQUIRE(effects.writes.size() == 2);
  std::vector<StoreWrite> writes = effects.writes;

  Send(SnapshotRequest{34, "second"});

  CHECK(Answer<SnapshotReply>().request == 34);
  CHECK(absl::IsFailedPrecondition(Answer<SnapshotReply>().status));
  CHECK(std::string(Answer<SnapshotReply>().status.message()).find("'first' is under way") !=
        std::string::npos);
  effects.Clear();
  effects.writes = writes;
  std::map<std::string, std::string> blobs;
  const SnapshotReply reply = Finished(*this, blobs);
  CHECK(reply.request == 33);
  CHECK(reply.status.ok());
}

TEST_CASE_METHOD(SlowFixture, "pushes go on while a snapshot is written, and are not in it",
                 "[server][snapshot]") {
  Send(SnapshotRequest{33, "cut"});
  std::map<std::string, std::string> blobs;
  std::uint64_t sequence = 1;

  const SnapshotReply reply = Finished(*this, blobs, [&] {
    if (sequence > 5) return;
    PushItems(sequence, sequence == 5 ? kItems : 1);
    REQUIRE(Answer<Acknowledgement>().status.ok());
    ++sequence;
  });

  CHECK(reply.status.ok());
  CHECK(sequence == 6);
  CHECK(Items(blobs) == std::vector<float>(kItems * kDim, 2));
  for (const SnapshotBlob& blob : reply.blobs) {
    CAPTURE(blob.name);
    CHECK(blob.checksum == Checksum(AsBytes(blobs[blob.name])));
    CHECK(blob.bytes == blobs[blob.name].size());
  }
  Send(SnapshotRequest{34, "next"});
  blobs.clear();
  CHECK(Finished(*this, blobs).status.ok());
  const std::vector<float> later = Items(blobs);
  CHECK(std::ranges::count(later, 1.F) == (kItems - 1) * kDim);
  CHECK(std::ranges::count(later, -3.F) == kDim);
}

TEST_CASE("a lane waits for its snapshot's writes once too much is kept", "[server][snapshot]") {
  const bool is_small = GENERATE(false, true);
  SlowFixture fixture(is_small ? 0 : 1 << 20);
  fixture.Send(SnapshotRequest{33, "cut"});
  REQUIRE(fixture.effects.writes.empty());

  fixture.PushItems(1, SlowFixture::kItems);

  // All rows changed, so all is written on.
  REQUIRE(fixture.effects.writes.size() == 2);
  for (const StoreWrite& write : fixture.effects.writes) {
    CHECK(write.is_background == !is_small);
  }
}

TEST_CASE_METHOD(SlowFixture, "a snapshot waits for the end of a base", "[server][snapshot]") {
  const auto map = std::make_shared<const ClusterMap>();
  effects.Clear();
  REQUIRE(lane.WriteBase(map, {}, "log", now, effects));
  lane.Step({kWorkerNode, test::kLane, SnapshotRequest{33, "cut"}}, now, effects);
  CHECK(effects.sends.empty());
  CHECK(!lane.WriteBase(map, {}, "log", now, effects));
  std::map<std::string, std::string> blobs;

  CHECK(Finished(*this, blobs).request == 33);

  CHECK(blobs.contains("cut/p00000-0000.snapshot"));
  CHECK(lane.WriteBase(map, {}, "log", now, effects));
}

TEST_CASE_METHOD(SlowFixture, "who no longer leads gives its snapshot up", "[server][snapshot]") {
  Send(SnapshotRequest{33, "cut"});
  effects.Clear();

  lane.StopLeading(effects);

  CHECK(Answer<SnapshotReply>().request == 33);
  CHECK(absl::IsAborted(Answer<SnapshotReply>().status));
  // A late answer to what it wrote is nobody's.
  Send(SnapshotRequest{34, "again"});
  std::map<std::string, std::string> blobs;
  lane.OnStored({.ticket = 1, .status = absl::UnavailableError("away")}, now, effects);
  CHECK(Finished(*this, blobs).status.ok());
  CHECK(Items(blobs) == std::vector<float>(kItems * kDim, 2));
}

TEST_CASE_METHOD(SlowFixture, "a base of the log takes nothing from an increment",
                 "[server][snapshot][increment]") {
  std::map<std::string, std::string> blobs;
  Send(SnapshotRequest{33, "full", 71, 0, true});  // There is nothing that it could build on.
  REQUIRE(Finished(*this, blobs).status.ok());
  CHECK(Items(blobs).size() == kItems * kDim);
  PushItems(1, 3);
  effects.Clear();
  REQUIRE(lane.WriteBase(std::make_shared<const ClusterMap>(), {}, "log", now, effects));
  PushItems(2, 1);
  // It waits for the base's end, and is cut only then.
  lane.Step({kWorkerNode, test::kLane, SnapshotRequest{34, "next", 72, 71, true}}, now, effects);
  blobs.clear();

  const SnapshotReply reply = Finished(*this, blobs);

  CHECK(reply.status.ok());
  REQUIRE(reply.positions.size() == 2);
  CHECK(reply.positions[0].is_increment);
  CHECK(reply.positions[0].rows == kItems);
  std::erase_if(blobs, [](const auto& blob) { return !blob.first.starts_with("next/"); });
  std::vector<float> want(3 * kDim, 1);
  std::fill_n(want.begin(), kDim, 0.F);
  std::vector<float> have = Items(blobs);
  std::ranges::sort(have);
  CHECK(have == want);
}

TEST_CASE_METHOD(SlowFixture, "an increment is one on the checkpoint that it names, or none",
                 "[server][snapshot][increment]") {
  struct Case {
    std::uint64_t base;
    bool wants_increment;
    std::size_t items;  // That are written.
  };
  const Case asked = GENERATE(values<Case>({{71, true, 9},  // The one before the last.
                                            {72, true, 5},  // The last.
                                            {73, true, kItems},
                                            {0, true, kItems},
                                            {72, false, kItems}}));
  CAPTURE(asked.base, asked.wants_increment);
  std::map<std::string, std::string> blobs;
  Send(SnapshotRequest{33, "a", 71});
  REQUIRE(Finished(*this, blobs).status.ok());
  PushItems(1, 9);
  Send(SnapshotRequest{34, "b", 72, 71, true});
  REQUIRE(Finished(*this, blobs).status.ok());
  PushItems(2, 5);
  Send(SnapshotRequest{35, "untracked"});
  REQUIRE(Finished(*this, blobs).status.ok());
  blobs.clear();

  Send(SnapshotRequest{36, "c", 74, asked.base, asked.wants_increment});
  const SnapshotReply reply = Finished(*this, blobs);

  CHECK(reply.positions[0].is_increment == (asked.items != kItems));
  CHECK(Items(blobs).size() == asked.items * kDim);
}

}  // namespace
}  // namespace longtail::server
