// What a table says of how it is used: how frequent the keys are that are pulled, how many keys
// there are, which are used most.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "base/hash.h"
#include "sparse/backoff_keys.h"
#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TableSpec PlainSpec() {
  return {.name = "rows", .dim = 1, .optimizer = {.rule = SgdSpec{.learning_rate = 1}}};
}

TableSpec SharedSpec() {
  TableSpec spec = PlainSpec();
  spec.tail = {.below = 5, .format = {.weights = WeightFormat::kShared}, .bucket_bits = 1};
  return spec;
}

void Push(Table& table, Key key, std::uint32_t count) {
  table.Push(std::vector<Key>{key}, std::vector<std::uint32_t>{count}, std::vector<float>{0.5F}, 1,
             1);
}

void Pull(Table& table, const std::vector<Key>& keys) {
  std::vector<float> rows(keys.size());
  table.Pull(keys, {.rows = rows.data(), .stride = 1});
}

TEST_CASE("pulls are counted by how often the row pulled was trained", "[sparse][statistics]") {
  const bool is_shared = GENERATE(false, true);
  CAPTURE(is_shared);
  Table table(is_shared ? SharedSpec() : PlainSpec());
  const std::vector<std::uint32_t> counts{1, 2, 4, 5, 9, 10, 99, 100, 0xFFFFFFFF};
  for (Key key = 0; key < counts.size(); ++key) Push(table, key, counts[key]);

  Pull(table, {0, 1, 2, 3, 4, 5, 6, 7, 8, 77, 77, 78});
  Pull(table, {8, 8});
  Push(table, 0, 3);
  Pull(table, {0});

  const TableStatistics statistics = table.Statistics();
  CHECK(statistics.pulls_by_bucket == std::array<std::uint64_t, 6>{3, 1, 3, 2, 2, 4});
  CHECK(statistics.pulls == 15);
}

TEST_CASE("keys are counted once whether they are pulled, pushed, or both",
          "[sparse][statistics]") {
  constexpr Key kKeys = 20'000;
  const bool is_shared = GENERATE(false, true);
  CAPTURE(is_shared);
  Table table(is_shared ? SharedSpec() : PlainSpec());
  for (int pass = 0; pass < 3; ++pass) {
    for (Key key = 0; key < kKeys; key += 2) Push(table, key, 1);      // 0, 2, 4, …
    for (Key key = 0; key < kKeys; key += 3) Pull(table, {key, key});  // 0, 3, 6, …
  }
  constexpr double kWant = kKeys * 2.0 / 3;
  const auto got = static_cast<double>(table.Statistics().distinct_keys);
  CHECK(std::abs(got / kWant - 1) < 0.08);

  // Evicted keys were there; a key refused for its gradient was not.
  for (Key key = 0; key < kKeys; key += 2) table.Erase(key);
  table.Push(std::vector<Key>{~Key{0}}, std::vector<std::uint32_t>{1},
             std::vector<float>{std::nanf("")}, 1, 1);
  CHECK(static_cast<double>(table.Statistics().distinct_keys) == got);
}

TEST_CASE("keys whose rows were restored are counted, the rows of groups are not",
          "[sparse][statistics]") {
  Table from(SharedSpec());
  for (Key key = 0; key < 3000; ++key) Push(from, key, static_cast<std::uint32_t>(1 + key % 9));
  Table to(SharedSpec());

  from.ForEachRow([&](const RowView& row) {
    REQUIRE(to.Import(row).ok());
    REQUIRE(to.Import(row).ok());
  });

  CHECK(to.row_count() == 3002);
  CHECK(to.Statistics().distinct_keys == from.Statistics().distinct_keys);
  CHECK(to.ContentHash() == from.ContentHash());  // Uses are no state: theirs differ.
  CHECK(to.Statistics().hot_keys.empty());
  CHECK_FALSE(from.Statistics().hot_keys.empty());
}

TEST_CASE("the keys used most are found, by pushes and by pulls, whatever the batches' period",
          "[sparse][statistics]") {
  // The hot keys are always in the same places.
  const std::size_t batch = GENERATE(16U, 25U, 32U);
  CAPTURE(batch);
  constexpr int kBatches = 20'000;
  Table table(PlainSpec());
  Rng rng(batch);
  std::vector<Key> keys(batch);
  std::vector<std::uint32_t> counts(batch, 1);
  counts[3] = 4;
  const std::vector<float> gradients(batch, 0.25F);
  for (int i = 0; i < kBatches; ++i) {
    for (std::size_t k = 0; k < batch; ++k) keys[k] = k < 3 ? k : 1000 + rng.Below(1'000'000);
    keys[3] = 3;
    if (i % 2 == 0) {
      table.Push(keys, counts, gradients, 1, 1);
    } else {
      Pull(table, keys);
    }
  }

  const std::vector<HotKeyCount> hot = table.Statistics().hot_keys;

  REQUIRE(hot.size() == kHotKeysMax);
  CHECK(hot[0].key == 3);  // Half of the time it comes four times at once.
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i, hot[i].key, hot[i].count, hot[i].error);
    REQUIRE(hot[i].key < 4);
    const double want = hot[i].key == 3 ? 2.5 * kBatches : kBatches;
    // Six standard errors: 20,000 uses, one in 64 seen; those of key 3 weigh up to four.
    const double noise = 6 * 8 * std::sqrt(kBatches) * (hot[i].key == 3 ? 3 : 1);
    CHECK(static_cast<double>(hot[i].count) > want - noise);
    CHECK(static_cast<double>(hot[i].count - hot[i].error) < want + noise);
  }
}

TEST_CASE("no place in batches of one size is looked at more often than another",
          "[sparse][statistics]") {
  Table table(PlainSpec());
  std::vector<Key> keys(32);
  std::iota(keys.begin(), keys.end(), Key{0});
  constexpr int kPulls = 20'000;
  for (int i = 0; i < kPulls; ++i) Pull(table, keys);

  const std::vector<HotKeyCount> hot = table.Statistics().hot_keys;

  REQUIRE(hot.size() == keys.size());
  for (const HotKeyCount& key : hot) {
    CAPTURE(key.key, key.count);
    CHECK(std::abs(static_cast<double>(key.count) - kPulls) < 6 * 8 * std::sqrt(kPulls));
  }
}

TEST_CASE("a key that comes with many occurrences at once is counted as closely as others",
          "[sparse][statistics]") {
  Table table(PlainSpec());
  const std::vector<std::uint32_t> counts{50, 64, 3, 1000, 0xFFFFFFFF};
  const std::vector<Key> keys{10, 11, 12, 13, 14};
  constexpr int kPushes = 400;
  for (int i = 0; i < kPushes; ++i) {
    table.Push(keys, counts, std::vector<float>(5, 0.5F), 1, 1);
  }

  const std::vector<HotKeyCount> hot = table.Statistics().hot_keys;

  REQUIRE(hot.size() == 5);
  for (const HotKeyCount& key : hot) {
    CAPTURE(key.key, key.count);
    CHECK(key.error == 0);
    const double want = double{kPushes} * counts[key.key - 10];
    CHECK(std::abs(static_cast<double>(key.count) - want) < 6 * 8 * std::sqrt(kPushes * 50.0));
    if (key.key == 11) CHECK(key.count == 64 * kPushes);
  }
}

TEST_CASE("the same calls give the same statistics", "[sparse][statistics]") {
  const auto run = [] {
    Table table(PlainSpec());
    Rng rng(3);
    for (int i = 0; i < 200; ++i) {
      const std::vector<Key> keys = test::Keys(rng, 100, 2000);
      const std::vector<std::uint32_t> counts = test::Counts(rng, 100, 4);
      const std::vector<float> gradients = test::Floats(rng, 100, -1, 1);
      table.Push(keys, counts, gradients, 1, 1);
      Pull(table, keys);
    }
    return table.Statistics();
  };
  CHECK(run() == run());
}

TEST_CASE("the hottest of all partitions are those of each, the hottest of them kept",
          "[sparse][statistics]") {
  TableStatistics sum;
  for (Key part = 0; part < 3; ++part) {
    TableStatistics one{.pulls_by_bucket = {1, 2, 3, 4, 5, 6}, .distinct_keys = 10 + part};
    for (Key i = 0; i < kHotKeysMax; ++i) {
      const Key rank = kHotKeysMax - i;
      one.hot_keys.push_back({.key = 3 * rank + part, .count = 100 * rank, .error = part});
    }
    sum += one;
  }

  CHECK(sum.pulls_by_bucket == std::array<std::uint64_t, 6>{3, 6, 9, 12, 15, 18});
  CHECK(sum.distinct_keys == 33);
  REQUIRE(sum.hot_keys.size() == kHotKeysMax);
  for (Key i = 0; i < kHotKeysMax; ++i) {
    const Key rank = kHotKeysMax - i / 3;
    CHECK(sum.hot_keys[i] ==
          HotKeyCount{.key = 3 * rank + i % 3, .count = 100 * rank, .error = i % 3});
  }
}

TEST_CASE("every count has its bucket, at each edge", "[sparse][statistics]") {
  for (std::size_t i = 0; i < kFrequencyBuckets.size(); ++i) {
    CHECK(BucketOf(kFrequencyBuckets[i].count_min) == i);
    CHECK(BucketOf(kFrequencyBuckets[i].count_max) == i);
  }
}

}  // namespace
}  // namespace longtail::sparse
