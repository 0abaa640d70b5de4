// A lane's snapshot: what is written, when it is refused, what a failed write leaves.
#include "server/lane_snapshot.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/checksum.h"
#include "protocol/snapshot_format.h"
#include "server/lane_fixture.h"

namespace longtail::server {
namespace {

constexpr PartitionId kP0{0};
constexpr PartitionId kP2{2};
constexpr SessionId kSession{10};

using Fixture = test::LaneFixture;

struct SynchronousFixture : Fixture {
  SynchronousFixture() : Fixture(StepMode::kSynchronous, 2) {}
};

// Answers every write until none is asked for, and gives the reply.
SnapshotReply Finished(Fixture& fixture, std::map<std::string, std::string>& blobs) {
  while (!fixture.effects.writes.empty()) {
    std::vector<StoreWrite> writes;
    writes.swap(fixture.effects.writes);
    fixture.effects.Clear();
    for (const StoreWrite& write : writes) {
      blobs[write.name] = write.bytes;
      fixture.lane.OnStored({write.ticket, absl::OkStatus()}, fixture.now, fixture.effects);
    }
  }
  return fixture.Answer<SnapshotReply>();
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
  REQUIRE(effects.writes.size() == 1);
  const std::uint64_t ticket = effects.writes[0].ticket;
  effects.Clear();

  lane.OnStored({ticket, absl::ResourceExhaustedError("disk full")}, now, effects);

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
  REQUIRE(effects.writes.size() == 1);
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

}  // namespace
}  // namespace longtail::server
