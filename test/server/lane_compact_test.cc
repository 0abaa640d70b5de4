// A lane that is asked in compact form answers as one that is asked plainly, or says what is wrong.
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/expand.h"
#include "protocol/value_codec.h"
#include "protocol/wire.h"
#include "server/lane_fixture.h"
#include "worker/compact_builder.h"

namespace longtail::server {
namespace {

using test::kLane;

struct CompactLane : test::LaneFixture {
  CompactLane() : builder({.names_key_lists = true}) { keys = test::KeysOf(PartitionId{0}, 4, 6); }
  explicit CompactLane(StepMode mode) : LaneFixture(mode, 1), builder({.names_key_lists = true}) {
    keys = test::KeysOf(PartitionId{0}, 4, 6);
  }

  std::shared_ptr<const CompactPull> Pull(WireValues format, std::uint64_t step = 0) {
    const auto pull = test::MakePull(
        20, step, {{.partition = PartitionId{0}, .table = TableId{0}, .dim = 1, .keys = keys}});
    pull->wants_counts = true;
    pull->compact = format;
    return builder.Build(kLane, *pull);
  }
  std::shared_ptr<const CompactPush> Push(std::uint64_t sequence, float gradient,
                                          WireValues format = WireValues::kInt8) {
    const auto push = test::MakePush(SessionId{10}, 0,
                                     {{.partition = PartitionId{0},
                                       .table = TableId{0},
                                       .dim = 1,
                                       .sequence = sequence,
                                       .keys = keys,
                                       .gradients = std::vector<float>(keys.size(), gradient),
                                       .counts = std::vector<std::uint32_t>(keys.size(), 2)}});
    push->compact = format;
    return builder.Build(kLane, *push);
  }
  std::vector<float> Rows(const CompactPullReply& reply) const {
    std::vector<float> rows(keys.size());
    REQUIRE(reply.rows.size() == keys.size() * PackedRowBytes(reply.values, 1));
    REQUIRE(UnpackRows(reply.values, 1, reply.rows, rows.data()));
    return rows;
  }
  // Of a lane that has just been started.
  static LaneCore::Options Fresh() {
    return {.self = kLane, .partition_count = 4, .partitions = {PartitionId{0}}};
  }

  std::vector<Key> keys;
  CompactBuilder builder;
};

TEST_CASE_METHOD(CompactLane, "compact pulls and pushes do what plain ones do", "[server][lane]") {
  const WireValues format = GENERATE(WireValues::kFloat32, WireValues::kBfloat16,
                                     WireValues::kFloat16, WireValues::kInt8);
  Send(Push(0, 5, format));
  CHECK(Answer<Acknowledgement>().status.ok());

  const auto pull = Pull(format);
  CHECK(pull->sections[0].form == KeyForm::kDigest);
  Send(pull);

  const auto& reply = Answer<CompactPullReply>();
  CHECK(reply.request == 20);
  CHECK(reply.values == format);
  CHECK(Rows(reply) == std::vector<float>(keys.size(), -2));
  std::vector<std::uint32_t> counts(keys.size());
  std::span<const std::byte> packed = reply.counts;
  REQUIRE(TakeCounts(packed, counts));
  CHECK(packed.empty());
  CHECK(counts == std::vector<std::uint32_t>(keys.size(), 2));
}

TEST_CASE_METHOD(CompactLane, "a list that was never heard of is asked for, and nothing is done",
                 "[server][lane]") {
  Pull(WireValues::kFloat16);  // Lost on its way.
  const auto push = Push(0, 5);
  REQUIRE(push->sections[0].form == KeyForm::kDigest);

  Send(push);
  CHECK(Answer<KeysWanted>().request == push->request);
  Send(Pull(WireValues::kFloat16));
  CHECK(Answer<KeysWanted>().request == 20);
  CHECK(lane.row_count() == 0);

  Send(builder.WithAllKeys(kLane, push));
  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(lane.row_count() == keys.size());
  Send(push);  // The first one again: it counts once.
  CHECK(Answer<Acknowledgement>().status.ok());
  Send(Pull(WireValues::kFloat16));
  CHECK(Rows(Answer<CompactPullReply>()) == std::vector<float>(keys.size(), -2));
}

TEST_CASE("a lane keeps the lists used last", "[server][lane]") {
  LaneCore::Options options = CompactLane::Fresh();
  options.key_list_bytes_max = 3 * (KeyLists::kEntryBytes + 6 * sizeof(Key));
  LaneCore lane(options);
  CompactBuilder builder({.names_key_lists = true});
  Effects effects;
  const std::vector<Key> keys = test::KeysOf(PartitionId{0}, 4, 60);
  const auto pull = [&](std::size_t at) {
    effects.Clear();
    const auto request = test::MakePull(1, 0, {{.partition = PartitionId{0}, .keys = {}}});
    request->sections[0].keys = std::span(keys).subspan(at, 6);
    request->compact = WireValues::kFloat32;
    lane.Step({NodeId{5}, kLane, builder.Build(kLane, *request)}, absl::UnixEpoch(), effects);
    return std::holds_alternative<KeysWanted>(effects.sends.at(0).body);
  };
  for (const std::size_t at : {0U, 6U, 12U, 0U, 18U}) CHECK_FALSE(pull(at));

  CHECK_FALSE(pull(0));
  CHECK(pull(6));
}

TEST_CASE("a lane that was started again asks for lists and then goes on", "[server][lane]") {
  CompactBuilder builder({.names_key_lists = true});
  const std::vector<Key> keys = test::KeysOf(PartitionId{0}, 4, 6);
  const auto request = test::MakePull(
      1, 0, {{.partition = PartitionId{0}, .table = TableId{0}, .dim = 1, .keys = keys}});
  request->compact = WireValues::kBfloat16;
  builder.Build(kLane, *request);  // Sent to the one before.
  Effects effects;
  LaneCore lane(CompactLane::Fresh());
  lane.Step({NodeId{5}, kLane, CreateTable{1, TableId{0}, test::LaneFixture::Spec("users", 1)}},
            absl::UnixEpoch(), effects);
  const auto named = builder.Build(kLane, *request);

  effects.Clear();
  lane.Step({NodeId{5}, kLane, named}, absl::UnixEpoch(), effects);
  REQUIRE(std::holds_alternative<KeysWanted>(effects.sends.at(0).body));
  effects.Clear();
  lane.Step({NodeId{5}, kLane, builder.WithAllKeys(kLane, *named)}, absl::UnixEpoch(), effects);
  CHECK(std::holds_alternative<CompactPullReply>(effects.sends.at(0).body));
  effects.Clear();
  lane.Step({NodeId{5}, kLane, builder.Build(kLane, *request)}, absl::UnixEpoch(), effects);
  CHECK(std::holds_alternative<CompactPullReply>(effects.sends.at(0).body));
}

TEST_CASE_METHOD(CompactLane, "compact requests that are wrong are refused by name",
                 "[server][lane]") {
  Send(Pull(WireValues::kInt8));  // The lane has the list.
  const auto sent = Push(0, 5);   // Keeps what the changed ones point at.
  auto push = std::make_shared<CompactPush>(*sent);
  push->sections[0].key_count = 5;
  Send(std::shared_ptr<const CompactPush>(push));
  CHECK(absl::IsInvalidArgument(Answer<Acknowledgement>().status));

  const auto asked = Pull(WireValues::kInt8);
  auto pull = std::make_shared<CompactPull>(*asked);
  pull->sections[0].key_count = 5;
  Send(std::shared_ptr<const CompactPull>(pull));
  CHECK(Answer<PullReply>().request == 20);
  CHECK(absl::IsInvalidArgument(Answer<PullReply>().status));

  pull = std::make_shared<CompactPull>(*asked);
  pull->sections[0].table = TableId{9};
  Send(std::shared_ptr<const CompactPull>(pull));
  CHECK(absl::IsNotFound(Answer<PullReply>().status));
  CHECK(lane.row_count() == 0);
}

TEST_CASE("a compact pull waits for its step, and a compact push for the step's end",
          "[server][lane]") {
  CompactLane f(StepMode::kSynchronous);
  f.Send(f.Push(0, 5));
  f.Send(f.Pull(WireValues::kInt8, /*step=*/1));
  CHECK(f.effects.sends.empty());

  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {.session = SessionId{10},
              .request = 9,
              .epoch = 1,
              .step = 0,
              .sections = {{PartitionId{0}, 1}, {PartitionId{2}, 0}}};
  f.Send(std::shared_ptr<const BarrierRequest>(barrier));

  REQUIRE(f.effects.sends.size() == 2);
  const auto& reply = f.Answer<CompactPullReply>(1);
  CHECK(reply.step == 1);
  CHECK(f.Rows(reply) == std::vector<float>(f.keys.size(), -2));
}

TEST_CASE_METHOD(CompactLane, "a compact gradient that is not finite leaves its row alone",
                 "[server][lane]") {
  Send(Push(0, std::numeric_limits<float>::infinity()));
  CHECK(Answer<Acknowledgement>().status.ok());
  Send(Pull(WireValues::kFloat32));
  CHECK(Rows(Answer<CompactPullReply>()) == std::vector<float>(keys.size(), 3));
}

TEST_CASE("a log has the push that a compact one stands for", "[server][lane]") {
  LaneCore::Options options = CompactLane::Fresh();
  options.keeps_log = true;
  const Message before[] = {CreateTable{1, TableId{0}, test::LaneFixture::Spec("users", 1)},
                            OpenSession{2, SessionId{10}, 0}};
  CompactLane worker;
  LaneCore lane(options);
  Effects effects;
  const auto step = [&](const Message& message) {
    effects.Clear();
    lane.Step({NodeId{5}, kLane, message}, absl::UnixEpoch(), effects);
  };
  for (const Message& message : before) step(message);
  step(worker.Pull(WireValues::kInt8));  // The lane has the list.
  const auto push = worker.Push(0, 5);
  REQUIRE(push->sections[0].form == KeyForm::kDigest);

  step(push);

  REQUIRE(effects.log.size() == 1);
  std::string bytes;
  Encode(effects.log[0].message, bytes);
  const auto logged = Decode(AsBytes(bytes));
  REQUIRE(logged.ok());
  LaneCore again(options);  // Knows no list.
  for (const Message& message : before) again.Replay(message, 0);
  again.Replay(*logged, 0);
  CHECK(again.row_count() == worker.keys.size());
}

}  // namespace
}  // namespace longtail::server
