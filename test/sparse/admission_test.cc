// Keys below admission: counted, without weights of their own, sharing a back-off row.
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "base/hash.h"
#include "sparse/backoff_keys.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TableSpec SharedSpec(std::uint32_t below, std::uint32_t field_bits, std::uint32_t bucket_bits) {
  TableSpec spec{.name = "rows",
                 .dim = 2,
                 .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                 .initializer = UniformSpec{.low = -1, .high = 1},
                 .seed = 5};
  spec.tail = {.below = below,
               .format = {.weights = WeightFormat::kShared},
               .field_bits = field_bits,
               .bucket_bits = bucket_bits};
  return spec;
}

void Push(Table& table, Key key, std::uint32_t count, float g) {
  table.Push(std::vector<Key>{key}, std::vector<std::uint32_t>{count}, std::vector<float>{g, g}, 1,
             1);
}

std::pair<std::vector<float>, std::uint32_t> Pull(Table& table, Key key) {
  std::vector<float> row(2);
  std::uint32_t count = 9999;
  table.Pull(std::vector<Key>{key}, {.rows = row.data(), .stride = 2, .counts = &count});
  return {row, count};
}

TEST_CASE("keys below the count share one row, and start from it when they are admitted",
          "[sparse][admission]") {
  Table table(SharedSpec(3, 0, 0));
  const std::vector<float> start = Pull(table, 1).first;
  CHECK(Pull(table, 2).first == start);  // Of the same back-off row, though nothing was trained.

  Push(table, 1, 1, -0.5F);
  Push(table, 2, 2, -0.25F);
  const std::vector<float> shared = {start[0] + 0.75F, start[1] + 0.75F};
  CHECK(Pull(table, 1) == std::pair(shared, 1U));
  CHECK(Pull(table, 2) == std::pair(shared, 2U));
  CHECK(Pull(table, 77) == std::pair(shared, 0U));

  Push(table, 2, 1, -1);  // Its third: admitted, and then moved.
  CHECK(Pull(table, 2) == std::pair(std::vector<float>{shared[0] + 1, shared[1] + 1}, 3U));
  CHECK(Pull(table, 1) == std::pair(shared, 1U));

  const TableStatistics statistics = table.Statistics();
  CHECK(statistics.rows == 3);  // Key 1, key 2, the back-off row.
  CHECK(statistics.tail_rows == 1);
  CHECK(statistics.shared_pushes == 2);
  CHECK(statistics.rows_promoted == 1);
  CHECK(statistics.weight_bytes == 2 * 2 * sizeof(float));
  RowView group;
  REQUIRE(table.Find(BackoffKeys(table.spec()).Of(1, Mix64(1)), &group));
  CHECK(group.count == 3);
}

TEST_CASE("groups are fields and buckets of hashes", "[sparse][admission]") {
  const TableSpec spec = SharedSpec(100, 4, 3);
  const BackoffKeys backoff(spec);
  Rng rng(1);
  std::map<std::pair<std::uint64_t, std::uint64_t>, Key> groups;
  std::set<Key> keys;
  for (int i = 0; i < 5000; ++i) {
    const Key key = rng.Next();
    const std::uint64_t hash = Mix64(key);
    const Key group = backoff.Of(key, hash);
    CHECK_FALSE(backoff.IsOne(hash));
    CHECK(backoff.IsOne(Mix64(group)));
    CHECK(Mix64(group) >> 61 == hash >> 61);  // In the partition of its members.
    const auto [known, is_new] = groups.try_emplace({key >> 60, hash >> 61}, group);
    CHECK(known->second == group);
    keys.insert(group);
  }
  CHECK(groups.size() == 16 * 8);
  CHECK(keys.size() == groups.size());
}

TEST_CASE("a hash is undone", "[sparse][admission]") {
  Rng rng(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t x = rng.Next();
    CHECK(Unmix64(Mix64(x)) == x);
    CHECK(Mix64(Unmix64(x)) == x);
  }
}

TEST_CASE("a back-off row outlives the keys that share it", "[sparse][admission]") {
  TableSpec spec = SharedSpec(3, 0, 0);
  spec.eviction = {.idle_steps = 10, .min_norm = 100, .sweep_steps = 1};
  Table table(spec);
  Push(table, 1, 1, -0.5F);
  Push(table, 2, 9, -0.5F);
  const std::vector<float> shared = Pull(table, 1).first;

  table.EndSteps(5);  // Key 2 has weights, shorter than 100; key 1 has none to measure.
  CHECK(table.Statistics().evicted_norm == 1);
  table.EndSteps(50);

  CHECK(table.row_count() == 1);
  CHECK(table.Statistics().evicted_idle == 1);
  CHECK(Pull(table, 1) == std::pair(shared, 0U));
}

TEST_CASE("a key that there is no room to admit stays below admission, also when it is restored",
          "[sparse][admission]") {
  TableSpec spec = SharedSpec(3, 0, 0);
  spec.eviction.budget_bytes = 28 + 3276 * 20;  // One back-off row, headers, no byte more.
  Table table(spec);
  for (Key key = 0; key < 4000; ++key) Push(table, key, 1, -0.01F);
  const std::uint64_t rows = table.row_count();
  for (int i = 0; i < 5; ++i) Push(table, 7, 1, -1);

  CHECK(table.Statistics().full_refused == 4000 + 1 - rows);
  CHECK(table.Statistics().rows_promoted == 0);
  CHECK(Pull(table, 7) == std::pair(Pull(table, 999'999).first, 2U));
  Table restored(spec);
  table.ForEachRow([&](const RowView& row) { REQUIRE(restored.Import(row).ok()); });
  CHECK(Pull(restored, 7) == Pull(table, 7));
  CHECK(restored.ContentHash() == table.ContentHash());
}

}  // namespace
}  // namespace longtail::sparse
