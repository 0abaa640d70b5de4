// A count table in a partition: its ops are those of the log, and a bad one changes nothing.
#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/count_row.h"
#include "server/partition_core.h"
#include "server/request_builder.h"

namespace longtail::server {
namespace {

constexpr PartitionId kPartition{1};
constexpr std::uint32_t kPartitionCount = 4;
constexpr SessionId kSession{9};
constexpr TableId kTable{1};
constexpr std::uint32_t kColumns = 40;

std::string Sized(const std::vector<CountEntry>& entries, std::uint32_t dim = kColumns) {
  std::string row;
  AppendCountRow(entries, dim, row);
  std::string sized;
  AppendSizedRow(AsBytes(row), sized);
  return sized;
}

struct Fixture {
  Fixture() {
    REQUIRE(core.CreateTable(TableId{0}, {.name = "weights", .dim = 2}).ok());
    REQUIRE(
        core.CreateTable(kTable, {.name = "topics", .dim = kColumns, .kind = TableKind::kCounts})
            .ok());
    REQUIRE(core.OpenSession(kSession, 0).ok());
  }

  absl::Status Push(std::uint64_t sequence, const std::string& packed, TableId table = kTable,
                    std::uint32_t dim = kColumns) {
    return core.Push(test::MakePush(kSession, 0,
                                    {{.partition = kPartition,
                                      .table = table,
                                      .dim = dim,
                                      .sequence = sequence,
                                      .keys = {key},
                                      .kind = TableKind::kCounts,
                                      .packed = packed}}),
                     0, 1);
  }
  std::string Row() {
    const std::vector<Key> keys = {key};
    std::string rows;
    core.PullCounts({.partition = kPartition,
                     .table = kTable,
                     .dim = kColumns,
                     .keys = keys,
                     .target = {},
                     .kind = TableKind::kCounts},
                    rows);
    return rows;
  }

  PartitionCore core{{.id = kPartition, .partition_count = kPartitionCount, .worker_count = 1}};
  const Key key = test::KeysOf(kPartition, kPartitionCount, 1)[0];
};

TEST_CASE_METHOD(Fixture, "a push of counts is applied once, whatever is repeated",
                 "[server][counts]") {
  CHECK(Push(0, Sized({{.column = 3, .count = 2}})).ok());
  CHECK(Push(0, Sized({{.column = 3, .count = 2}})).ok());
  CHECK(absl::IsUnavailable(Push(2, Sized({{.column = 3, .count = 2}}))));
  CHECK(Push(1, Sized({{.column = 3, .count = 5}, {.column = 9, .count = -1}})).ok());

  CHECK(Row() == Sized({{.column = 3, .count = 7}, {.column = 9, .count = -1}}));
}

TEST_CASE_METHOD(Fixture, "a push that is no counts uses its number up and changes nothing",
                 "[server][counts]") {
  const std::vector<std::string> bad = {
      "",                                          // No row.
      Sized({}) + Sized({}),                       // Two rows.
      Sized({{.column = 300, .count = 1}}, 5000),  // A column beyond the table's.
      std::string("\x03\x00\x03", 3),              // Cut short.
      std::string("\x02\x03\x00", 3),              // A form that is none.
      std::string("\x03\x00\x03\x00", 4),          // A zero.
      std::string(9, '\xFF') + '\x01',             // An absurd size.
  };
  std::uint64_t sequence = 0;
  CHECK(Push(sequence++, Sized({{.column = 3, .count = 2}})).ok());
  for (const std::string& packed : bad) {
    CAPTURE(sequence);
    const absl::Status status = Push(sequence++, packed);
    CHECK(absl::IsInvalidArgument(status));
    CHECK(std::string(status.message()).starts_with("push to table 'topics': changes: "));
  }
  CHECK(Push(sequence++, Sized({{.column = 3, .count = 2}})).ok());

  CHECK(Row() == Sized({{.column = 3, .count = 4}}));
}

TEST_CASE_METHOD(Fixture, "sections of another kind or width are refused by the table's name",
                 "[server][counts]") {
  const auto pull = [&](TableId table, std::uint32_t dim, TableKind kind) {
    return std::string(core.CheckPull({.partition = kPartition,
                                       .table = table,
                                       .dim = dim,
                                       .keys = {},
                                       .target = {},
                                       .kind = kind})
                           .message());
  };
  CHECK(pull(kTable, kColumns, TableKind::kCounts).empty());
  CHECK(pull(kTable, kColumns, TableKind::kWeights) ==
        "table 'topics' is one of counts: want no weights of it");
  CHECK(pull(TableId{0}, 2, TableKind::kCounts) ==
        "table 'weights' is one of weights: want no counts of it");
  CHECK(pull(kTable, 41, TableKind::kCounts) == "table 'topics': dim 41: want 40");
  CHECK(absl::IsInvalidArgument(Push(0, Sized({}), TableId{0}, 2)));
  CHECK(absl::IsInvalidArgument(
      core.ImportRow(kTable, sparse::RowView{.key = key, .count = 1, .values = {}})));
  CHECK(absl::IsInvalidArgument(
      core.ImportRow(TableId{0}, sparse::CountRowView{.key = key, .packed = {}})));
}

TEST_CASE("synchronous pushes of counts wait for their step", "[server][counts]") {
  PartitionCore core({.id = kPartition,
                      .partition_count = kPartitionCount,
                      .step_mode = StepMode::kSynchronous,
                      .worker_count = 1});
  REQUIRE(
      core.CreateTable(TableId{0}, {.name = "topics", .dim = kColumns, .kind = TableKind::kCounts})
          .ok());
  REQUIRE(core.OpenSession(kSession, 0).ok());
  const Key key = test::KeysOf(kPartition, kPartitionCount, 1)[0];
  REQUIRE(core.Push(test::MakePush(kSession, 0,
                                   {{.partition = kPartition,
                                     .table = TableId{0},
                                     .dim = kColumns,
                                     .sequence = 0,
                                     .keys = {key},
                                     .kind = TableKind::kCounts,
                                     .packed = Sized({{.column = 3, .count = 2}})}}),
                    0, 1)
              .ok());
  CHECK(core.count_table(TableId{0}).row_count() == 0);
  REQUIRE(core.Barrier(kSession, 1, 0).ok());
  CHECK(core.count_table(TableId{0}).row_count() == 1);
}

}  // namespace
}  // namespace longtail::server
