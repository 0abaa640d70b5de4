// Count tables through the public API: exact sums, what is refused, steps, checkpoints.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/counts_fixture.h"
#include "server/scratch_directory.h"

namespace longtail {
namespace {

using test::CountChanges;
using test::CountMaps;
using test::Must;
using test::Says;

constexpr std::uint32_t kColumns = 300;
constexpr Key kKeys = 500;

std::vector<Key> AllKeys() {
  std::vector<Key> keys;
  for (Key key = 0; key < kKeys + 10; ++key) keys.push_back(key);
  return keys;
}

TEST_CASE("counts pushed are the sums pulled", "[server][counts]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = GENERATE(1U, 3U), .partitions = 16}));
  const TableId weights = Must(cluster->CreateTable(test::ExactSpec("weights", 2)));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", kColumns)));
  const auto worker = Must(cluster->Connect());
  CountMaps want;
  Rng rng(5);
  for (int i = 0; i < 100; ++i) {
    const CountChanges changes = test::RandomCountChanges(rng, 1 + rng.Below(80), kKeys, kColumns);
    test::Add(changes, want);
    Must(worker->PushCounts(table, changes.keys, changes.rows));
    std::vector<Key> keys;
    for (std::uint64_t n = rng.Below(40); n > 0; --n) keys.push_back(rng.Below(kKeys + 100));
    REQUIRE(test::PullCounts(*worker, table, keys) == test::RowsOf(want, keys));
  }

  CHECK(test::PullCounts(*worker, table, AllKeys()) == test::RowsOf(want, AllKeys()));
  CHECK(test::PullCounts(*worker, table, {}) == CountRows{});
  const TableStatistics statistics = Must(cluster->Statistics(table));
  CHECK(statistics.weight_bytes > 0);
  CHECK(statistics.rows == statistics.rows_created);
  CHECK(Must(cluster->Statistics(weights)).rows == 0);
}

TEST_CASE("weights of a count table and counts of weights are refused, by name",
          "[server][counts]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId weights = Must(cluster->CreateTable(test::ExactSpec("weights", 2)));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", 2)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = {1};
  CountRows rows{.ends = {1}, .columns = {0}, .counts = {1}};
  std::vector<float> floats(2);
  KeyBatch batch;
  Must(worker->Prepare(table, keys, batch));
  const PullItem pull{.keys = &batch, .rows = floats};
  const PushItem push{.keys = &batch, .gradients = floats};
  const std::string is_counts = "table 'topics' is one of counts";
  const std::string is_weights = "table 'weights' is one of weights";

  CHECK(Says(worker->Pull(table, keys, floats), is_counts));
  CHECK(Says(worker->Push(table, keys, floats), is_counts));
  CHECK(Says(worker->Pull(std::span(&pull, 1)), is_counts));
  CHECK(Says(worker->Push(std::span(&push, 1)), is_counts));
  CHECK(Says(worker->PullCounts(weights, keys, &rows), is_weights));
  CHECK(Says(worker->PushCounts(weights, keys, rows), is_weights));
  CHECK(absl::IsInvalidArgument(worker->PullCounts(weights, keys, &rows)));
  CHECK(absl::IsNotFound(worker->PullCounts(TableId{7}, keys, &rows)));
  CHECK(absl::IsInvalidArgument(worker->PullCounts(table, keys, nullptr)));
  CHECK(rows == CountRows{.ends = {1}, .columns = {0}, .counts = {1}});
}

TEST_CASE("changes that are none are refused before they travel, and say why", "[server][counts]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 1, .partitions = 4}));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", 9)));
  const auto worker = Must(cluster->Connect());
  const auto refusal = [&](const std::vector<Key>& keys, const CountRows& changes) {
    const absl::Status status = worker->PushCounts(table, keys, changes);
    CHECK(absl::IsInvalidArgument(status));
    return std::string(status.message());
  };
  constexpr std::uint64_t kAbsurd = ~std::uint64_t{0};
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::string two = "table 'topics': changes of 2 keys: ";

  CHECK(refusal({1, 2}, {.ends = {1}, .columns = {0}, .counts = {1}}) ==
        two + "1 ends of rows: want 2");
  CHECK(refusal({1, 2}, {.ends = {0, 1}, .columns = {0}, .counts = {}}) ==
        two + "1 columns and 0 counts: want as many");
  CHECK(refusal({1, 2}, {.ends = {1, 0}, .columns = {0}, .counts = {1}}) ==
        two + "row 1 ends at 0: want 1..1");
  CHECK(refusal({1, 2}, {.ends = {0, kAbsurd}, .columns = {0}, .counts = {1}}) ==
        two + "row 1 ends at 18446744073709551615: want 0..1");
  CHECK(refusal({1, 2}, {.ends = {0, 1}, .columns = {0, 1}, .counts = {1, 1}}) ==
        two + "the last row ends at 1: want 2, as many as there are columns");
  CHECK(refusal({1, 2}, {.ends = {1, 2}, .columns = {0, 9}, .counts = {1, 1}}) ==
        two + "row 1: column 9: want 0..8");
  CHECK(refusal({1, 2}, {.ends = {0, 2}, .columns = {5, 4}, .counts = {1, 1}}) ==
        two + "row 1: column 4 after 5: want them to ascend");
  CHECK(refusal({1, 2}, {.ends = {0, 2}, .columns = {5, 5}, .counts = {1, 1}}) ==
        two + "row 1: column 5 after 5: want them to ascend");
  CHECK(refusal({1, 1}, {.ends = {1, 2}, .columns = {5, 5}, .counts = {kMost, 1}}) ==
        "table 'topics': key 1: the sum of its changes is beyond 64 bits");
  CHECK(Must(cluster->Statistics(table)).pushes == 0);

  Must(worker->PushCounts(table, std::vector<Key>{1},
                          {.ends = {1}, .columns = {5}, .counts = {kMost}}));
  Must(
      worker->PushCounts(table, std::vector<Key>{1}, {.ends = {1}, .columns = {5}, .counts = {1}}));
  CHECK(test::PullCounts(*worker, table, std::vector<Key>{1}).counts ==
        std::vector<std::int64_t>{kMost});
  CHECK(Must(cluster->Statistics(table)).non_finite_refused == 1);
}

TEST_CASE("a full row of 2^20 columns of 64 bits travels", "[server][counts]") {
  constexpr std::uint32_t kMost = 1 << 20;
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 4}));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", kMost)));
  const auto worker = Must(cluster->Connect());
  CountRows row;
  Rng rng(2);
  for (std::uint32_t column = 0; column < kMost; ++column) {
    row.columns.push_back(column);
    row.counts.push_back(static_cast<std::int64_t>(rng.Next() | 1));
  }
  row.ends.push_back(kMost);
  Must(worker->PushCounts(table, std::vector<Key>{3}, row));

  CHECK(test::PullCounts(*worker, table, std::vector<Key>{3}) == row);
}

TEST_CASE("workers that push at a time leave the sum of what they pushed", "[server][counts]") {
  const StepMode mode =
      GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous, StepMode::kBoundedStaleness);
  CAPTURE(static_cast<int>(mode));
  constexpr std::uint32_t kWorkers = 3;
  const auto cluster =
      Must(Cluster::Embedded({.lanes = 2,
                              .partitions = 8,
                              .step_mode = mode,
                              .staleness = mode == StepMode::kBoundedStaleness ? 1U : 0U,
                              .workers = kWorkers}));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", kColumns)));
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < kWorkers; ++w) workers.push_back(Must(cluster->Connect()));
  std::vector<CountMaps> pushed(kWorkers);
  std::vector<std::thread> threads;
  for (std::uint32_t w = 0; w < kWorkers; ++w) {
    threads.emplace_back([&, w] {
      Rng rng(w);
      for (int step = 0; step < 40; ++step) {
        const CountChanges changes = test::RandomCountChanges(rng, 30, kKeys, kColumns);
        test::Add(changes, pushed[w]);
        CountRows rows;
        Must(workers[w]->PullCounts(table, changes.keys, &rows));
        Must(workers[w]->PushCounts(table, changes.keys, changes.rows));
        Must(workers[w]->EndStep());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CountMaps want;
  for (const CountMaps& maps : pushed) {
    for (const auto& [key, row] : maps) {
      for (const auto& [column, count] : row) {
        if ((want[key][column] += count) == 0) want[key].erase(column);
      }
    }
  }
  CHECK(test::PullCounts(*workers[0], table, AllKeys()) == test::RowsOf(want, AllKeys()));
}

TEST_CASE("a synchronous pull of counts sees whole steps alone", "[server][counts]") {
  const auto cluster = Must(Cluster::Embedded(
      {.lanes = 2, .partitions = 8, .step_mode = StepMode::kSynchronous, .workers = 1}));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", 4)));
  const auto worker = Must(cluster->Connect());
  const std::vector<Key> keys = {1};
  const CountRows one{.ends = {1}, .columns = {2}, .counts = {1}};

  Must(worker->PushCounts(table, keys, one));
  CHECK(test::PullCounts(*worker, table, keys).counts.empty());
  Must(worker->EndStep());
  CHECK(test::PullCounts(*worker, table, keys) == one);
}

TEST_CASE("a restored cluster has the counts of its checkpoint, whatever its increments",
          "[server][counts]") {
  const test::ScratchDirectory scratch;
  const ClusterOptions options{.lanes = 2, .partitions = 8, .store = scratch.path()};
  const auto cluster = Must(Cluster::Embedded(options));
  const TableId weights = Must(cluster->CreateTable(test::SpecOf("weights", 3, AdamSpec{})));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", kColumns)));
  const auto worker = Must(cluster->Connect());
  CountMaps want;
  Rng rng(8);
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < (round == 0 ? 40 : 3); ++i) {
      const CountChanges changes = test::RandomCountChanges(rng, 40, kKeys, kColumns);
      test::Add(changes, want);
      Must(worker->PushCounts(table, changes.keys, changes.rows));
      Must(worker->Push(weights, changes.keys, std::vector<float>(changes.keys.size() * 3, 0.5F)));
    }
    const std::string name = "c" + std::to_string(round);
    const WireValues values = round % 2 == 0 ? WireValues::kFloat32 : WireValues::kBfloat16;
    const CheckpointInfo info =
        Must(cluster->Checkpoint(name, {}, {.increments_max = 10, .values = values}));
    CHECK(info.increments == static_cast<std::uint32_t>(round));
    const TableStatistics saved = Must(cluster->Statistics(table));

    const auto restored = Must(
        Cluster::Restore({.lanes = 1, .partitions = 4}, {.store = scratch.path(), .name = name}));
    const TableId same = Must(restored->FindTable("topics"));
    const auto reader = Must(restored->ConnectReader());
    CHECK(test::PullCounts(*reader, same, AllKeys()) == test::RowsOf(want, AllKeys()));
    const TableStatistics back = Must(restored->Statistics(same));
    CHECK(back.hash == saved.hash);
    CHECK(back.rows == saved.rows);
    CHECK(back.rows_by_count == saved.rows_by_count);
  }
}

TEST_CASE("readers pull counts and push none", "[server][counts]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(test::CountSpecOf("topics", 4)));
  const auto reader = Must(cluster->ConnectReader());
  const std::vector<Key> keys = {1};
  CountRows rows;
  CHECK(reader->PullCounts(table, keys, &rows).ok());
  CHECK(rows.size() == 1);
  CHECK(absl::IsFailedPrecondition(reader->PushCounts(table, keys, rows)));
}

}  // namespace
}  // namespace longtail
