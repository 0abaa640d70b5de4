// A lane's rules: what it answers to whom, and what it refuses.
#include "server/lane_core.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/lane_fixture.h"

namespace longtail::server {
namespace {

constexpr PartitionId kP0{0};
constexpr PartitionId kP1{1};
constexpr PartitionId kP2{2};
constexpr SessionId kSession{10};
constexpr TableId kTable{0};

using Fixture = test::LaneFixture;

struct SynchronousFixture : Fixture {
  SynchronousFixture() : Fixture(StepMode::kSynchronous, 2) {}
};

bool Says(const absl::Status& status, const std::string& text) {
  INFO(status.ToString());
  return std::string(status.message()).find(text) != std::string::npos;
}

TEST_CASE_METHOD(Fixture, "a push to several partitions is acknowledged once, to its sender",
                 "[server][lane]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));

  REQUIRE(effects.sends.size() == 1);
  CHECK(effects.sends[0].source == test::kLane);
  CHECK(effects.sends[0].target == test::kWorkerNode);
  CHECK(Answer<Acknowledgement>().request == 71);
  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(Weight(kP0) == 2);
  CHECK(Weight(kP2) == 1);
}

TEST_CASE_METHOD(Fixture, "a repeated push counts once and is acknowledged again",
                 "[server][lane]") {
  const auto push = test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)});
  SendPush(push);
  SendPush(push);

  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(Weight(kP0) == 2);
  CHECK(Weight(kP2) == 1);
}

TEST_CASE_METHOD(Fixture, "a lane counts rows of what it answers and acknowledges, not of a replay",
                 "[server][lane]") {
  const auto push = test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)});
  std::uint64_t rows = 0;
  for (const PushSection& section : push->sections) rows += section.keys.size();
  SendPush(push);
  CHECK(lane.rows_pushed() == rows);
  test::PushPart wrong = Part(kP0, 1, 1);
  wrong.table = TableId{4};
  SendPush(test::MakePush(kSession, 0, {wrong}));
  CHECK(lane.rows_pushed() == rows);
  lane.Replay(test::MakePush(kSession, 0, {Part(kP0, 2, 1)}), 0);
  CHECK(lane.rows_pushed() == rows);
}

TEST_CASE_METHOD(Fixture, "what is wrong with one partition's part does not hold up another's",
                 "[server][lane]") {
  test::PushPart wrong = Part(kP0, 0, 1);
  wrong.table = TableId{4};
  SendPush(test::MakePush(kSession, 0, {wrong, Part(kP2, 0, 2)}));
  CHECK(absl::IsNotFound(Answer<Acknowledgement>().status));
  CHECK(Weight(kP2) == 1);

  SendPush(test::MakePush(kSession, 0, {Part(kP0, 1, 1), Part(kP2, 1, 2)}));

  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(Weight(kP0) == 2);
  CHECK(Weight(kP2) == -1);
}

TEST_CASE_METHOD(Fixture, "parts of one partition with two sequences are two pushes",
                 "[server][lane]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1)}));

  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP0, 1, 2)}));

  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(Weight(kP0) == 0);
}

TEST_CASE_METHOD(Fixture, "a gap in one partition is answered so that the push comes again",
                 "[server][lane]") {
  test::PushPart wrong = Part(kP0, 0, 1);
  wrong.table = TableId{4};
  const auto ahead = test::MakePush(kSession, 0, {wrong, Part(kP2, 1, 2)});
  SendPush(ahead);
  CHECK(absl::IsUnavailable(Answer<Acknowledgement>().status));
  CHECK(Weight(kP2) == 3);

  SendPush(test::MakePush(kSession, 0, {Part(kP2, 0, 5)}));
  SendPush(ahead);

  CHECK(Weight(kP2) == -4);
}

TEST_CASE_METHOD(SynchronousFixture, "a gap in one partition does not keep another from its step",
                 "[server][lane]") {
  SendEnd(1, 0, 0);
  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {
      .session = kSession, .request = 9, .epoch = 1, .step = 0, .sections = {{kP0, 1}, {kP2, 0}}};
  Send(std::shared_ptr<const BarrierRequest>(barrier));

  CHECK(absl::IsUnavailable(Answer<Acknowledgement>().status));
  CHECK(lane.FindPartition(kP0)->step() == 0);
  CHECK(lane.FindPartition(kP2)->step() == 1);
}

TEST_CASE_METHOD(Fixture, "requests of another epoch are refused whole", "[server][lane]") {
  const auto push = test::MakePush(kSession, 0, {Part(kP0, 0, 1)});
  push->epoch = 2;
  SendPush(push);
  CHECK(absl::IsUnavailable(Answer<Acknowledgement>().status));  // It will hear of that epoch.
  CHECK(Says(Answer<Acknowledgement>().status, "epoch 2: lane 2 is yet in 1"));
  CHECK(Weight(kP0) == 3);

  const auto pull = test::MakePull(6, 0, {{kP0, kTable, 1, {key0}}});
  pull->epoch = 2;
  SendPull(pull);
  CHECK(Answer<PullReply>().request == 6);
  CHECK(absl::IsUnavailable(Answer<PullReply>().status));

  const auto any = test::MakePull(7, 0, {{kP0, kTable, 1, {key0}}});
  any->epoch = 0;
  SendPull(any);
  CHECK(Answer<PullReply>().status.ok());
  CHECK(Answer<PullReply>().epoch == 1);

  auto barrier = std::make_shared<BarrierRequest>();
  barrier->epoch = 3;
  Send(std::shared_ptr<const BarrierRequest>(barrier));
  CHECK(absl::IsUnavailable(Answer<Acknowledgement>().status));
}

TEST_CASE_METHOD(Fixture, "requests for a partition that is not here are refused",
                 "[server][lane]") {
  const PartitionId foreign = GENERATE(PartitionId{1}, PartitionId{4}, PartitionId{4'000'000'000});
  test::PushPart part = Part(kP0, 0, 1);
  part.partition = foreign;
  SendPush(test::MakePush(kSession, 0, {part}));
  CHECK(absl::IsFailedPrecondition(Answer<Acknowledgement>().status));
  CHECK(Says(Answer<Acknowledgement>().status, "is not on lane 2 in epoch 1"));

  SendPull(test::MakePull(6, 0, {{foreign, kTable, 1, {key0}}}));
  CHECK(absl::IsFailedPrecondition(Answer<PullReply>().status));

  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {.session = kSession, .request = 9, .epoch = 1, .step = 0, .sections = {{foreign, 0}}};
  Send(std::shared_ptr<const BarrierRequest>(barrier));
  CHECK(absl::IsFailedPrecondition(Answer<Acknowledgement>().status));
  CHECK(lane.FindPartition(foreign) == nullptr);
}

TEST_CASE_METHOD(Fixture, "a pull without a sink is answered with rows and counts in its order",
                 "[server][lane]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));
  const auto pull = test::MakePull(8, 0, {{kP2, kTable, 1, {key2}}, {kP0, kTable, 1, {key0, 99}}});
  SendPull(pull);
  CHECK(std::vector<float>(Answer<PullReply>().values.begin(), Answer<PullReply>().values.end()) ==
        std::vector<float>{1, 2, 3});
  CHECK(Answer<PullReply>().counts.empty());

  pull->wants_counts = true;
  SendPull(pull);

  const auto counts = Answer<PullReply>().counts;
  CHECK(std::vector<std::uint32_t>(counts.begin(), counts.end()) ==
        std::vector<std::uint32_t>{1, 1, 0});
}

TEST_CASE_METHOD(Fixture, "a pull whose answer would be too large is refused, not attempted",
                 "[server][lane]") {
  const auto pull = test::MakePull(5, 0, {{kP0, kTable, 1, std::vector<Key>(1 << 16, 7)}});
  pull->sections.resize(4096, pull->sections[0]);  // As many floats as fit into 1 GiB,
  pull->sections.push_back(pull->sections[0]);     // and then some.
  SendPull(pull);

  const absl::Status status = Answer<PullReply>().status;
  CHECK(absl::IsResourceExhausted(status));
  CHECK(Says(status, "pull of 1074003968 bytes of rows: want at most 1073741824 in one request"));
}

TEST_CASE_METHOD(Fixture, "a pull with a sink is written in place, and not once it is closed",
                 "[server][lane]") {
  std::vector<float> row(1);
  std::vector<std::uint32_t> count(1, 9);
  const auto pull = test::MakePull(8, 0, {{kP0, kTable, 1, {key0}}});
  pull->sink = std::make_shared<PullSink>();
  pull->sections[0].target = {.rows = row.data(), .counts = count.data()};
  SendPull(pull);
  CHECK(row[0] == 3);
  CHECK(count[0] == 0);
  CHECK(Answer<PullReply>().request == 8);
  CHECK(Answer<PullReply>().values.empty());

  pull->sink->Close();
  row[0] = -1;
  SendPull(pull);

  CHECK(row[0] == -1);
  CHECK(effects.sends.empty());
}

TEST_CASE_METHOD(SynchronousFixture, "a pull of a later step waits and is answered after it",
                 "[server][lane]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));
  SendEnd(0, 1, 0);
  const auto pull = test::MakePull(8, 1, {{kP0, kTable, 1, {key0}}, {kP2, kTable, 1, {key2}}});
  SendPull(pull);
  CHECK(effects.sends.empty());
  SendPull(pull);  // A retry of a pull that waits.
  CHECK(effects.sends.empty());

  SendEnd(1, 0, 0);

  REQUIRE(effects.sends.size() == 2);
  CHECK(Answer<Acknowledgement>(0).step == 1);
  CHECK(Answer<PullReply>(1).values[0] == 2);
  CHECK(Answer<PullReply>(1).values[1] == 1);
}

TEST_CASE_METHOD(SynchronousFixture, "a pull that waits is answered when a worker leaves",
                 "[server][lane]") {
  SendEnd(0, 0, 0);
  SendPull(test::MakePull(8, 1, {{kP0, kTable, 1, {key0}}}));
  REQUIRE(effects.sends.empty());

  Send(CloseSession{3, SessionId{11}});

  REQUIRE(effects.sends.size() == 2);
  CHECK(Answer<Acknowledgement>(0).status.ok());
  CHECK(Answer<PullReply>(1).request == 8);
}

TEST_CASE_METHOD(SynchronousFixture, "pulls that wait have a named limit", "[server][lane]") {
  for (std::uint64_t i = 0; i < kWaitingPullsMax; ++i) {
    SendPull(test::MakePull(100 + i, 1, {{kP0, kTable, 1, {key0}}}));
    REQUIRE(effects.sends.empty());
  }

  SendPull(test::MakePull(7, 1, {{kP0, kTable, 1, {key0}}}));

  CHECK(absl::IsResourceExhausted(Answer<PullReply>().status));
  CHECK(Says(Answer<PullReply>().status, "4096 pulls wait for a step to end: want at most 4096"));
}

TEST_CASE_METHOD(SynchronousFixture, "a wrong pull of a later step is refused at once",
                 "[server][lane]") {
  SendPull(test::MakePull(7, 1, {{kP0, kTable, 2, {key0}}}));

  CHECK(absl::IsInvalidArgument(Answer<PullReply>().status));
}

TEST_CASE_METHOD(SynchronousFixture, "a lane is at the step of its slowest partition",
                 "[server][lane]") {
  SendEnd(1, 0, 0);
  auto barrier = std::make_shared<BarrierRequest>();
  *barrier = {.session = kSession, .request = 9, .epoch = 1, .step = 0, .sections = {{kP2, 0}}};

  Send(std::shared_ptr<const BarrierRequest>(barrier));

  CHECK(Answer<Acknowledgement>().step == 0);
}

TEST_CASE_METHOD(Fixture, "a lane counts and drops what no lane understands", "[server][lane]") {
  Send(PullReply{});
  Send(Acknowledgement{});
  Send(StatisticsReply{});
  Send(SnapshotReply{});

  CHECK(effects.sends.empty());
  CHECK(lane.dropped() == 4);
}

TEST_CASE_METHOD(Fixture, "who takes a lane for the coordinator is told", "[server][lane]") {
  Send(MapRequest{8});

  const auto answer = Answer<Acknowledgement>();
  CHECK(answer.request == 8);
  CHECK(absl::IsFailedPrecondition(answer.status));
  CHECK(std::string(answer.status.message()).find("want the coordinator's address") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "statistics are the sum of the lane's partitions", "[server][lane]") {
  SendPush(test::MakePush(kSession, 0, {Part(kP0, 0, 1), Part(kP2, 0, 2)}));
  Send(StatisticsRequest{5, kTable});
  CHECK(Answer<StatisticsReply>().request == 5);
  CHECK(Answer<StatisticsReply>().statistics.rows == 2);
  CHECK(Answer<StatisticsReply>().statistics.hash ==
        lane.FindPartition(kP0)->table(kTable).ContentHash() +
            lane.FindPartition(kP2)->table(kTable).ContentHash());

  Send(StatisticsRequest{6, TableId{1}});

  CHECK(absl::IsNotFound(Answer<StatisticsReply>().status));
  CHECK(Says(Answer<StatisticsReply>().status, "table 1: there are 1 tables"));
}

TEST_CASE_METHOD(Fixture, "imported rows go to the partitions of their keys", "[server][lane]") {
  auto rows = std::make_shared<RowBlock>();
  *rows = {.table = kTable,
           .value_count = 1,
           .keys = {key2, key0},
           .counts = {5, 6},
           .last_steps = {7, 8},
           .values = {0.5F, 0.25F}};
  Send(ImportRows{3, rows});
  CHECK(Answer<Acknowledgement>().status.ok());
  CHECK(Weight(kP0) == 0.25F);
  CHECK(Weight(kP2) == 0.5F);

  auto foreign = std::make_shared<RowBlock>(*rows);
  foreign->keys = {test::KeysOf(kP1, 4, 1)[0], key0};
  Send(ImportRows{4, foreign});
  CHECK(absl::IsFailedPrecondition(Answer<Acknowledgement>().status));
  Send(ImportStep{5, 30});

  CHECK(Answer<Acknowledgement>().step == 30);
}

TEST_CASE_METHOD(Fixture, "a table or a session that a partition refuses is refused",
                 "[server][lane]") {
  Send(CreateTable{3, kTable, Spec("users", 2)});
  CHECK(absl::IsAlreadyExists(Answer<Acknowledgement>().status));
  Send(OpenSession{4, SessionId{99}, 0});
  CHECK(absl::IsAlreadyExists(Answer<Acknowledgement>().status));
  Send(OpenSession{4, kSession, 0});
  CHECK(Answer<Acknowledgement>().status.ok());
}

}  // namespace
}  // namespace longtail::server
