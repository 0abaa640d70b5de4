// What a count table promises beside being a map of maps: its bytes, its limits, its figures.
#include "sparse/count_table.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sparse/count_store.h"
#include "sparse/reference_counts.h"
#include "sparse/rows_by_count.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TableSpec SpecOf(std::uint32_t dim) {
  return {.name = "topics", .dim = dim, .kind = TableKind::kCounts};
}

std::string Sized(const test::CountMap& row, std::uint32_t dim) {
  std::string rows;
  AppendSizedRow(AsBytes(test::PackedCounts(row, dim)), rows);
  return rows;
}

void Push(CountTable& table, Key key, const test::CountMap& change) {
  table.Push(std::vector<Key>{key}, AsBytes(Sized(change, table.dim())));
}

// In another process, by another compiler, on another machine the same: the hash may change only
// with the format's meaning.
TEST_CASE("a sequence of operations on counts gives the bytes it always gave",
          "[sparse][count_table]") {
  CountTable table(SpecOf(500));
  Rng rng(6);
  for (int i = 0; i < 3000; ++i) {  // (In one order, which arguments of a call have not.)
    const test::CountMap change = test::RandomChange(rng, 500);
    Push(table, rng.Below(400), change);
  }
  CHECK(table.ContentHash() == 0xf1ca0056a0de7b08);
}

TEST_CASE("the order of pushes does not show", "[sparse][count_table]") {
  std::vector<std::pair<Key, test::CountMap>> changes;
  Rng rng(9);
  for (int i = 0; i < 500; ++i) {
    test::CountMap change;
    change[static_cast<std::uint32_t>(rng.Below(40))] = static_cast<std::int64_t>(rng.Below(9)) + 1;
    changes.emplace_back(rng.Below(30), change);
  }
  CountTable forth(SpecOf(40));
  CountTable back(SpecOf(40));
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Push(forth, changes[i].first, changes[i].second);
    const auto& [key, change] = changes[changes.size() - 1 - i];
    Push(back, key, change);
  }
  CHECK(forth.ContentHash() == back.ContentHash());
}

TEST_CASE("an empty change makes no row, and a row that is zero again stays, empty",
          "[sparse][count_table]") {
  CountTable table(SpecOf(10));
  Push(table, 1, {});
  CHECK(table.row_count() == 0);
  Push(table, 1, {{4, 3}});
  Push(table, 1, {{4, -3}});
  CHECK(table.row_count() == 1);
  CHECK(table.Find(1).empty());
  CHECK(table.Counts().weight_bytes == 0);
}

TEST_CASE("a change that leaves 64 bits leaves the whole row alone and is counted",
          "[sparse][count_table]") {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  CountTable table(SpecOf(10));
  Push(table, 1, {{4, kMost}, {5, 1}});
  Push(table, 1, {{4, 1}, {5, 1}});
  CHECK(test::UnpackedCounts(table.Find(1), 10) == test::CountMap{{4, kMost}, {5, 1}});
  CHECK(table.Counts().non_finite_refused == 1);
  CHECK(table.Counts().pushes == 2);
}

TEST_CASE("a full count table refuses new keys and counts them", "[sparse][count_table]") {
  CountTable table(SpecOf(10), 2);
  for (const Key key : {1U, 2U, 3U, 1U}) Push(table, key, {{4, 1}});
  CHECK(table.row_count() == 2);
  CHECK(table.Counts().full_refused == 1);
  CHECK(test::UnpackedCounts(table.Find(1), 10) == test::CountMap{{4, 2}});
  const absl::Status status =
      table.Import({.key = 7, .packed = AsBytes(test::PackedCounts({{1, 1}}, 10))});
  CHECK(absl::IsResourceExhausted(status));
  CHECK(status.message().find("want more partitions") != absl::string_view::npos);
}

TEST_CASE("a row that is none is not imported", "[sparse][count_table]") {
  CountTable table(SpecOf(10));
  const absl::Status status =
      table.Import({.key = 7, .packed = AsBytes(test::PackedCounts({{100, 1}}, 5000))});
  CHECK(status.message() ==
        "table 'topics': key 7: row of counts: a column that is not below the table's dim");
  CHECK(table.row_count() == 0);
}

TEST_CASE("memory of rows that grow and shrink is used again", "[sparse][count_table]") {
  CountTable table(SpecOf(1 << 20));
  const auto grow = [&](std::int64_t sign) {
    Rng columns(7);
    for (Key key = 0; key < 200; ++key) {
      for (int i = 0; i < 5; ++i) {
        test::CountMap change;
        for (int j = 0; j < 60; ++j) {
          change[static_cast<std::uint32_t>(columns.Below(1 << 20))] = sign;
        }
        Push(table, key, change);
      }
    }
  };
  grow(1);
  grow(-1);
  grow(1);  // By now it has had rows of all sizes on the way.
  const TableStatistics full = table.Counts();
  for (int round = 0; round < 10; ++round) {
    grow(-1);
    CHECK(table.Counts().weight_bytes == 0);
    grow(1);
  }
  const TableStatistics again = table.Counts();
  CHECK(again.weight_bytes == full.weight_bytes);
  CHECK(again.bytes() == full.bytes());
  CHECK(full.bytes() < full.weight_bytes * 5 / 4 + 200 * 40 + (40 << 12));
}

TEST_CASE("rows are counted by their counts, which ascend", "[sparse][statistics]") {
  RowsByCount rows;
  for (const std::uint32_t count : {7U, 3U, 7U, 0U}) rows.Add(count);
  CHECK(rows.Sorted() ==
        std::vector<std::pair<std::uint32_t, std::uint64_t>>{{0, 1}, {3, 1}, {7, 2}});
}

TEST_CASE("figures of a count table add up", "[sparse][count_table]") {
  CountTable table(SpecOf(100));
  for (Key key = 0; key < 1000; ++key) Push(table, key, {{7, static_cast<std::int64_t>(key % 3)}});
  std::string rows;
  const std::vector<Key> keys = {1, 2, 5000, 6000, 4};
  table.Pull(keys, rows);
  const TableStatistics statistics = table.Statistics();
  CHECK(statistics.rows == 666);
  CHECK(statistics.rows_created == 666);
  CHECK(statistics.pushes == 1000);
  CHECK(statistics.pulls == 5);
  CHECK(statistics.pulls_by_bucket.front() == 2);
  CHECK(statistics.pulls_by_bucket.back() == 3);
  CHECK(statistics.weight_bytes == 666 * 3);
  CHECK(statistics.header_bytes == 666 * CountStore::kHeadBytes);
  CHECK(statistics.rows_by_count ==
        std::vector<std::pair<std::uint32_t, std::uint64_t>>{{1, 333}, {2, 333}});
}

}  // namespace
}  // namespace longtail::sparse
