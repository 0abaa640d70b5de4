// One partition's rules outside of synchronous steps.
#include "server/partition_core.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/request_builder.h"

namespace longtail::server {
namespace {

constexpr PartitionId kPartition{5};
constexpr std::uint32_t kPartitionCount = 8;
constexpr SessionId kSession{77};
constexpr TableId kTable{0};

TableSpec Spec(const char* name, std::uint32_t dim) {
  return {.name = name,
          .dim = dim,
          .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
          .initializer = ConstantSpec{.value = 3}};
}

bool Says(const absl::Status& status, const std::string& text) {
  INFO(status.ToString());
  return std::string(status.message()).find(text) != std::string::npos;
}

struct Fixture {
  Fixture() {
    REQUIRE(core.CreateTable(kTable, Spec("users", 2)).ok());
    REQUIRE(core.OpenSession(kSession, 1).ok());
  }

  absl::Status Push(std::uint64_t sequence, test::PushPart part) {
    part.partition = kPartition;
    part.sequence = sequence;
    return core.Push(test::MakePush(kSession, 0, {std::move(part)}), 0, 1);
  }
  // A push of (1.5, -2.5) to keys[0].
  absl::Status PushOne(std::uint64_t sequence) {
    return Push(sequence,
                {.table = kTable, .dim = 2, .keys = {keys[0]}, .gradients = {1.5F, -2.5F}});
  }
  std::vector<float> Row(Key key) {
    std::vector<float> row(2);
    const std::vector<Key> wanted = {key};
    core.Pull({.partition = kPartition, .table = kTable, .dim = 2, .keys = wanted, .target = {}},
              {.rows = row.data()});
    return row;
  }

  PartitionCore core{{.id = kPartition, .partition_count = kPartitionCount, .worker_count = 3}};
  const std::vector<Key> keys = test::KeysOf(kPartition, kPartitionCount, 3);
};

TEST_CASE_METHOD(Fixture, "a push moves its rows at once in asynchronous mode", "[server]") {
  CHECK(PushOne(0).ok());

  CHECK(Row(keys[0]) == std::vector<float>{1.5F, 5.5F});
  CHECK(Row(keys[1]) == std::vector<float>{3, 3});
}

TEST_CASE_METHOD(Fixture, "a repeated push is acknowledged and applied once", "[server]") {
  CHECK(PushOne(0).ok());
  CHECK(PushOne(1).ok());
  const std::uint64_t position = core.log_position();

  CHECK(PushOne(0).ok());
  CHECK(PushOne(1).ok());

  CHECK(Row(keys[0]) == std::vector<float>{0, 8});
  CHECK(core.log_position() == position);
}

TEST_CASE_METHOD(Fixture, "a push after a gap is refused and names the sequence wanted",
                 "[server]") {
  CHECK(PushOne(0).ok());

  const absl::Status status = PushOne(2);

  CHECK(absl::IsUnavailable(status));
  CHECK(Says(status, "partition 5: sequence 2: want 1 first"));
  CHECK(Row(keys[0]) == std::vector<float>{1.5F, 5.5F});
  CHECK(PushOne(1).ok());
  CHECK(PushOne(2).ok());
  CHECK(Row(keys[0]) == std::vector<float>{-1.5F, 10.5F});
}

TEST_CASE_METHOD(Fixture, "a wrong push changes nothing, says why and uses up its sequence",
                 "[server]") {
  struct Case {
    test::PushPart part;
    absl::StatusCode code;
    std::string says;
  };
  constexpr auto kWrong = absl::StatusCode::kInvalidArgument;
  const Key foreign = test::KeysOf(PartitionId{2}, kPartitionCount, 1)[0];
  const Case bad = GENERATE_COPY(Catch::Generators::values<Case>({
      {{.table = TableId{1}, .dim = 2, .keys = {keys[0]}, .gradients = {1, 2}},
       absl::StatusCode::kNotFound,
       "table 1: partition 5 has 1 tables"},
      {{.table = kTable, .dim = 3, .keys = {keys[0]}, .gradients = {1, 2, 3}},
       kWrong,
       "table 'users': dim 3: want 2"},
      {{.table = kTable, .dim = 2, .keys = {keys[0], keys[1]}, .gradients = {1, 2, 3}},
       kWrong,
       "2 counts and 3 gradients for 2 keys: want 2 and 4"},
      {{.table = kTable, .dim = 2, .keys = {keys[0]}, .gradients = {1, 2}, .counts = {1, 1}},
       kWrong,
       "2 counts and 2 gradients for 1 keys: want 1 and 2"},
      {{.table = kTable, .dim = 2, .keys = {keys[0], foreign}, .gradients = {1, 2, 3, 4}},
       kWrong,
       "a key does not belong to partition 5"},
  }));
  const std::uint64_t hash = core.table(kTable).ContentHash();

  const absl::Status status = Push(0, bad.part);

  CHECK(status.code() == bad.code);
  CHECK(Says(status, bad.says));
  CHECK(core.table(kTable).ContentHash() == hash);
  CHECK(PushOne(1).ok());
  CHECK(Row(keys[0]) == std::vector<float>{1.5F, 5.5F});
}

TEST_CASE_METHOD(Fixture, "a push of several sections is applied whole or not at all", "[server]") {
  const auto push = test::MakePush(
      kSession, 0,
      {{.partition = kPartition, .table = kTable, .dim = 2, .keys = {keys[0]}, .gradients = {1, 2}},
       {.partition = kPartition,
        .table = TableId{9},
        .dim = 2,
        .keys = {keys[1]},
        .gradients = {1, 2}}});

  CHECK(absl::IsNotFound(core.Push(push, 0, 2)));

  CHECK(Row(keys[0]) == std::vector<float>{3, 3});
  CHECK(core.table(kTable).row_count() == 0);
}

TEST_CASE_METHOD(Fixture, "a push applies the sections named and no other", "[server]") {
  const auto push = test::MakePush(
      kSession, 0,
      {{.partition = kPartition, .table = kTable, .dim = 2, .keys = {keys[0]}, .gradients = {1, 2}},
       {.partition = kPartition, .table = kTable, .dim = 2, .keys = {keys[1]}, .gradients = {3, 4}},
       {.partition = kPartition,
        .table = kTable,
        .dim = 2,
        .keys = {keys[2]},
        .gradients = {5, 6}}});

  CHECK(core.Push(push, 1, 2).ok());

  CHECK(Row(keys[0]) == std::vector<float>{3, 3});
  CHECK(Row(keys[1]) == std::vector<float>{0, -1});
  CHECK(Row(keys[2]) == std::vector<float>{3, 3});
}

TEST_CASE_METHOD(Fixture, "a push's rate scale and step reach its rows", "[server]") {
  const auto push = test::MakePush(kSession, 41,
                                   {{.partition = kPartition,
                                     .table = kTable,
                                     .dim = 2,
                                     .keys = {keys[0]},
                                     .gradients = {2, 4},
                                     .counts = {6}}});
  push->learning_rate_scale = 0.25F;

  CHECK(core.Push(push, 0, 1).ok());

  CHECK(Row(keys[0]) == std::vector<float>{2.5F, 2});
  sparse::RowView row;
  REQUIRE(core.table(kTable).Find(keys[0], &row));
  CHECK(row.count == 6);
  CHECK(row.last_step == 41);
  CHECK(core.step() == 41);
}

TEST_CASE_METHOD(Fixture, "a push or a barrier of an unknown session is refused", "[server]") {
  const auto push = test::MakePush(SessionId{5}, 0, {{.partition = kPartition}});

  const absl::Status pushed = core.Push(push, 0, 1);
  const absl::Status ended = core.Barrier(SessionId{5}, 0, 0);

  CHECK(absl::IsNotFound(pushed));
  CHECK(Says(pushed, "session 5 is not open in partition 5"));
  CHECK(absl::IsNotFound(ended));
}

TEST_CASE_METHOD(Fixture, "each session has its own sequence", "[server]") {
  REQUIRE(core.OpenSession(SessionId{78}, 0).ok());
  CHECK(PushOne(0).ok());
  const auto push = test::MakePush(SessionId{78}, 0,
                                   {{.partition = kPartition,
                                     .table = kTable,
                                     .dim = 2,
                                     .keys = {keys[0]},
                                     .gradients = {0.5F, 0.25F}}});

  CHECK(core.Push(push, 0, 1).ok());

  CHECK(Row(keys[0]) == std::vector<float>{1, 5.25F});
}

TEST_CASE_METHOD(Fixture, "opening a session again changes nothing", "[server]") {
  CHECK(PushOne(0).ok());
  const std::uint64_t position = core.log_position();

  CHECK(core.OpenSession(kSession, 1).ok());

  CHECK(core.log_position() == position);
  CHECK(core.sessions().at(kSession).next_sequence == 1);
}

TEST_CASE_METHOD(Fixture, "a session's rank must exist and be free", "[server]") {
  const absl::Status high = core.OpenSession(SessionId{9}, 3);
  const absl::Status taken = core.OpenSession(SessionId{9}, 1);

  CHECK(absl::IsInvalidArgument(high));
  CHECK(Says(high, "worker rank 3: want 0..2"));
  CHECK(absl::IsAlreadyExists(taken));
  CHECK(Says(taken, "worker rank 1 belongs to session 77"));
  core.CloseSession(kSession);
  CHECK(core.OpenSession(SessionId{9}, 1).ok());
}

TEST_CASE_METHOD(Fixture, "a late copy of its opening does not bring a closed session back",
                 "[server]") {
  core.CloseSession(kSession);
  core.CloseSession(kSession);

  const absl::Status status = core.OpenSession(kSession, 1);

  CHECK(absl::IsFailedPrecondition(status));
  CHECK(Says(status, "session 77 was closed"));
  CHECK(core.sessions().empty());
}

TEST_CASE_METHOD(Fixture, "tables are created in order, once, and an equal one again is the same",
                 "[server]") {
  CHECK(core.CreateTable(kTable, Spec("users", 2)).ok());
  const absl::Status other = core.CreateTable(kTable, Spec("users", 3));
  const absl::Status gap = core.CreateTable(TableId{2}, Spec("items", 3));
  const absl::Status wrong = core.CreateTable(TableId{1}, Spec("items", 0));

  CHECK(absl::IsAlreadyExists(other));
  CHECK(Says(other, "table 0 'users' exists with another spec"));
  CHECK(absl::IsFailedPrecondition(gap));
  CHECK(Says(gap, "table 2: want the next number, 1"));
  CHECK(absl::IsInvalidArgument(wrong));
  CHECK(core.table_count() == 1);
  CHECK(core.CreateTable(TableId{1}, Spec("items", 3)).ok());
  CHECK(core.table_count() == 2);
}

TEST_CASE_METHOD(Fixture, "a table whose keys share rows needs as many buckets as partitions",
                 "[server]") {
  TableSpec spec = Spec("shared", 2);
  spec.tail = {.below = 3, .format = {.weights = WeightFormat::kShared}, .bucket_bits = 2};

  const absl::Status status = core.CreateTable(TableId{1}, spec);
  spec.tail.bucket_bits = 3;

  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status,
             "table 'shared': tail.bucket_bits 2: want more, so that there are at least as "
             "many buckets as partitions (8)"));
  CHECK(core.CreateTable(TableId{1}, spec).ok());
}

TEST_CASE_METHOD(Fixture, "a push of a later step sweeps what is due in asynchronous mode",
                 "[server]") {
  TableSpec spec = Spec("swept", 2);
  spec.eviction = {.idle_steps = 5, .sweep_steps = 2};
  REQUIRE(core.CreateTable(TableId{1}, spec).ok());
  const auto push = [&](std::uint64_t sequence, std::uint64_t step, Key key) {
    auto request = test::MakePush(kSession, step,
                                  {{.partition = kPartition,
                                    .table = TableId{1},
                                    .dim = 2,
                                    .sequence = sequence,
                                    .keys = {key},
                                    .gradients = {1, 1}}});
    return core.Push(request, 0, 1);
  };

  REQUIRE(push(0, 0, keys[0]).ok());
  REQUIRE(push(1, 5, keys[1]).ok());
  CHECK(core.table(TableId{1}).row_count() == 2);
  REQUIRE(push(2, 8, keys[1]).ok());

  CHECK(core.table(TableId{1}).row_count() == 1);
  CHECK(core.table(TableId{1}).Statistics().evicted_idle == 1);
}

TEST_CASE_METHOD(Fixture, "a pull of a table that there is not, or of another width, is refused",
                 "[server]") {
  const absl::Status table =
      core.CheckPull({.table = TableId{1}, .dim = 2, .keys = {}, .target = {}});
  const absl::Status dim = core.CheckPull({.table = kTable, .dim = 1, .keys = {}, .target = {}});

  CHECK(absl::IsNotFound(table));
  CHECK(absl::IsInvalidArgument(dim));
  CHECK(Says(dim, "table 'users': dim 1: want 2"));
  CHECK(core.CheckPull({.table = kTable, .dim = 2, .keys = {}, .target = {}}).ok());
}

TEST_CASE_METHOD(Fixture, "a row is imported whole into the partition of its key alone",
                 "[server]") {
  const std::vector<float> values = {8, 9};
  const Key foreign = test::KeysOf(PartitionId{1}, kPartitionCount, 1)[0];

  CHECK(core.ImportRow(kTable, {keys[1], 4, 6, values}).ok());
  CHECK(absl::IsNotFound(core.ImportRow(TableId{1}, {keys[1], 4, 6, values})));
  const absl::Status not_ours = core.ImportRow(kTable, {foreign, 4, 6, values});
  CHECK(absl::IsInvalidArgument(not_ours));
  CHECK(Says(not_ours, "does not belong to partition 5"));
  CHECK(absl::IsInvalidArgument(core.ImportRow(kTable, {keys[2], 4, 6, {}})));

  CHECK(core.table(kTable).row_count() == 1);
  CHECK(Row(keys[1]) == values);
}

}  // namespace
}  // namespace longtail::server
