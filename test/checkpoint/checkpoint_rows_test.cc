#include "checkpoint/checkpoint_rows.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "checkpoint/checkpoint_builder.h"
#include "checkpoint/sorted_rows.h"
#include "sim/memory_store.h"

namespace longtail::checkpoint {
namespace {

using test::Must;
using test::Says;

struct Fixture {
  sim::MemoryStore store;
  test::CheckpointBuilder built = test::ThreeTables();
  Manifest manifest = built.Write(store);
};

void AddTo(test::BuiltRows& rows, const SortedRows& sorted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const StoredRow row = sorted.at(i);
    if (i > 0) CHECK(sorted.at(i - 1).key < row.key);
    const test::BuiltRow built{.count = row.count,
                               .last_step = row.last_step,
                               .values = {row.values.begin(), row.values.end()}};
    CHECK(rows.emplace(row.key, built).second);
  }
}

TEST_CASE_METHOD(Fixture, "each row comes once and in order in whatever parts they are read",
                 "[checkpoint][rows]") {
  REQUIRE(manifest.blobs.size() > 2 * built.partitions);  // Several chunks a partition.
  const CheckpointRows rows = Must(CheckpointRows::Open(store, manifest));
  for (const std::uint32_t parts : {1U, 2U, 4U}) {
    CAPTURE(parts);
    test::BuiltRows items;
    test::BuiltRows rare;
    for (std::uint32_t part = 0; part < parts; ++part) {
      const auto read = Must(rows.Read(part, parts, std::vector<std::size_t>{2, 0}));
      REQUIRE(read.size() == 2);
      AddTo(rare, read[0]);
      AddTo(items, read[1]);
      CHECK(read[1].value_count() == 6);
      for (std::size_t i = 0; i < read[1].size(); ++i) {
        CHECK(static_cast<std::uint32_t>(PartitionOf(read[1].at(i).key, parts)) == part);
      }
    }
    CHECK(items == built.tables[0].rows);
    CHECK(rare == built.tables[2].rows);
  }
}

TEST_CASE_METHOD(Fixture, "the order of objects in a manifest does not matter",
                 "[checkpoint][rows]") {
  std::ranges::reverse(manifest.blobs);
  const CheckpointRows rows = Must(CheckpointRows::Open(store, manifest));
  test::BuiltRows items;
  AddTo(items, Must(rows.Read(0, 1, std::vector<std::size_t>{0}))[0]);
  CHECK(items == built.tables[0].rows);
}

TEST_CASE_METHOD(Fixture, "objects under wrong names are refused", "[checkpoint][rows]") {
  Manifest other = manifest;
  other.blobs[0].name = "step-12/p00009-0000.snapshot";
  CHECK(Says(CheckpointRows::Open(store, other).status(),
             "memory/step-12/p00009-0000.snapshot: want a name that says one of the 4 partitions"));
  other.blobs[0].name = "step-12/nonsense";
  CHECK(absl::IsInvalidArgument(CheckpointRows::Open(store, other).status()));

  other = manifest;
  std::swap(other.blobs.front().name, other.blobs.back().name);
  Must(store.Write(other.blobs.front().name, Must(store.Read(manifest.blobs.front().name))));
  const CheckpointRows rows = Must(CheckpointRows::Open(store, other));
  CHECK(Says(rows.Read(3, 4, std::vector<std::size_t>{0}).status(), "holds partition 0 of 4"));
}

TEST_CASE("a key that is there twice is told", "[checkpoint][rows]") {
  SortedRows rows;
  const RowBlock block{.table = TableId{2},
                       .value_count = 1,
                       .keys = {7, 3},
                       .counts = {1, 2},
                       .last_steps = {4, 5},
                       .values = {6, 8}};
  Must(rows.Add(block));
  RowBlock wider = block;
  wider.value_count = 2;
  wider.values = {1, 2, 3, 4};
  CHECK(Says(rows.Add(wider), "table 2: rows of 2 floats beside rows of 1"));
  RowBlock again = block;
  again.keys = {9, 7};
  Must(rows.Add(again));

  CHECK(Says(rows.Sort(), "table 2: key 7 is there twice"));
}

}  // namespace
}  // namespace longtail::checkpoint
