// Which rows go, when, and that nothing but the rows and the step decides it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/hash.h"
#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TableSpec SpecWith(const EvictionSpec& eviction) {
  TableSpec spec{.name = "rows", .dim = 2, .optimizer = {.rule = SgdSpec{.learning_rate = 1}}};
  spec.eviction = eviction;
  return spec;
}

void Push(Table& table, Key key, std::uint32_t count, std::uint32_t step, float g = -1) {
  table.Push(std::vector<Key>{key}, std::vector<std::uint32_t>{count}, std::vector<float>{g, g},
             step, 1);
}

std::set<Key> KeysOf(const Table& table) {
  std::set<Key> keys;
  table.ForEachRow([&](const RowView& row) { keys.insert(row.key); });
  return keys;
}

TEST_CASE("rows that were not pushed for long enough go, within a round of sweeps",
          "[sparse][eviction]") {
  Table table(SpecWith({.idle_steps = 100, .sweep_steps = 10}));
  for (Key key = 0; key < 1000; ++key) Push(table, key, 1, key % 2 == 0 ? 0 : 50);

  table.EndSteps(100);
  CHECK(table.row_count() == 1000);
  table.EndSteps(110);

  CHECK(table.row_count() == 500);
  for (const Key key : KeysOf(table)) CHECK(key % 2 == 1);
  CHECK(table.Statistics().evicted_idle == 500);
  table.EndSteps(150);
  CHECK(table.row_count() > 0);
  table.EndSteps(160);
  CHECK(table.row_count() == 0);
}

TEST_CASE("each step looks at its share of the rows, and every row is looked at once a round",
          "[sparse][eviction]") {
  constexpr std::uint32_t kSteps = 8;
  Table table(SpecWith({.min_score = 2, .sweep_steps = kSteps}));
  for (Key key = 0; key < 4000; ++key) Push(table, key, 1, 0);

  for (std::uint32_t step = 1; step <= kSteps; ++step) {
    const std::set<Key> before = KeysOf(table);
    table.EndSteps(step);
    std::set<Key> want;
    for (const Key key : before) {
      const std::uint64_t slice = ((Mix64(key) & 0xFFFFFFFF) * kSteps) >> 32;
      if (slice != step - 1) want.insert(key);
    }
    CHECK(KeysOf(table) == want);
    CHECK(want.size() < before.size());
  }
  CHECK(table.row_count() == 0);
  table.EndSteps(3);  // Was told before.
}

TEST_CASE("a score is a count that halves while its row is idle", "[sparse][eviction]") {
  Table table(SpecWith({.min_score = 4, .half_life = 10, .sweep_steps = 1}));
  Push(table, 1, 4, 0);
  Push(table, 2, 8, 0);
  Push(table, 3, 3, 0);

  table.EndSteps(9);
  CHECK(KeysOf(table) == std::set<Key>{1, 2});
  table.EndSteps(19);
  CHECK(KeysOf(table) == std::set<Key>{2});
  table.EndSteps(20);
  CHECK(table.row_count() == 0);
  CHECK(table.Statistics().evicted_score == 3);
}

TEST_CASE("rows of small norm go, such as those that group lasso has taken to zero",
          "[sparse][eviction]") {
  TableSpec spec = SpecWith({.min_norm = 0.01F, .sweep_steps = 1});
  spec.optimizer.frequency.group_lasso = 1;
  Table table(spec);
  Push(table, 1, 1, 0, -0.5F);  // |w| = 0.71, less than 1: zero.
  Push(table, 2, 1, 0, -3.0F);

  table.EndSteps(1);

  CHECK(KeysOf(table) == std::set<Key>{2});
  CHECK(table.Statistics().evicted_norm == 1);
}

TEST_CASE("a key that was evicted starts clean", "[sparse][eviction]") {
  TableSpec spec = SpecWith({.idle_steps = 1, .sweep_steps = 1});
  spec.optimizer.rule = AdagradSpec{};
  Table table(spec);
  Table fresh(spec);
  Push(table, 7, 5, 0);
  table.EndSteps(2);
  REQUIRE(table.row_count() == 0);

  Push(table, 7, 1, 3);
  Push(fresh, 7, 1, 3);

  CHECK(table.ContentHash() == fresh.ContentHash());
}

// Rows come in another order, at other places, and over a growing index.
TEST_CASE("sweeps depend on the rows and the step alone", "[sparse][eviction]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 12));
  CAPTURE(seed);
  Rng rng(seed);
  const auto sweep_steps = static_cast<std::uint32_t>(1 + rng.Below(40));
  const TableSpec spec =
      SpecWith({.idle_steps = 60, .min_score = 3, .half_life = 25, .sweep_steps = sweep_steps});
  auto table = std::make_unique<Table>(spec);
  std::map<Key, std::pair<std::uint32_t, std::uint32_t>> want;  // Count, last step.

  for (std::uint32_t step = 0; step < 150; ++step) {
    for (const Key key : test::Keys(rng, rng.Below(120), 20'000)) {
      Push(*table, key, 1, step);
      auto& [count, last] = want[key];
      ++count;
      last = step;
    }
    table->EndSteps(step + 1);
    std::erase_if(want, [&](const auto& row) {
      const std::uint64_t place = Mix64(row.first) & 0xFFFFFFFF;
      const std::uint64_t slice = step % sweep_steps;
      const bool is_due =
          place >= (slice << 32) / sweep_steps && place < ((slice + 1) << 32) / sweep_steps;
      const auto& [count, last] = row.second;
      const std::uint32_t idle = step + 1 - last;
      return is_due && (idle > 60 || (count >> (idle / 25)) < 3);
    });
    if (rng.Below(10) == 0) {  // A replica from a snapshot: its rows lie elsewhere.
      std::vector<std::pair<RowView, std::vector<float>>> rows;
      table->ForEachRow([&](const RowView& row) {
        rows.push_back({row, {row.values.begin(), row.values.end()}});
      });
      std::reverse(rows.begin(), rows.end());
      auto copy = std::make_unique<Table>(spec);
      for (const auto& [row, values] : rows) {
        REQUIRE(copy->Import({row.key, row.count, row.last_step, values}).ok());
      }
      copy->BeginAtStep(step + 1);
      table = std::move(copy);
    }
  }

  std::map<Key, std::pair<std::uint32_t, std::uint32_t>> got;
  table->ForEachRow([&](const RowView& row) { got[row.key] = {row.count, row.last_step}; });
  CHECK(got == want);
  CHECK(got.size() > 10);
}

TEST_CASE("a budget that is used up refuses new keys or evicts the lowest score nearby",
          "[sparse][eviction]") {
  const auto policy = GENERATE(BudgetPolicy::kRefuse, BudgetPolicy::kEvictLowest);
  constexpr std::uint64_t kRowBytes = 14 + 8 + 6;
  constexpr std::uint64_t kRows = 70'000 / kRowBytes;
  Table table(SpecWith({.budget_bytes = 70'000, .budget_policy = policy}));
  std::set<Key> pushed;
  for (Key key = 0; key < 10'000; ++key) {
    Push(table, key, key < 1000 ? 50 : 1, static_cast<std::uint32_t>(key));
  }

  CHECK(table.row_count() == kRows);
  const TableStatistics statistics = table.Statistics();
  if (policy == BudgetPolicy::kRefuse) {
    CHECK(statistics.full_refused == 10'000 - kRows);
    CHECK(statistics.evicted_budget == 0);
    CHECK(*KeysOf(table).rbegin() == kRows - 1);
  } else {
    CHECK(statistics.full_refused == 0);
    CHECK(statistics.evicted_budget == 10'000 - kRows);
    std::uint64_t frequent = 0;
    for (const Key key : KeysOf(table)) frequent += key < 1000 ? 1 : 0;
    CHECK(frequent >= 990);  // A rare neighbourhood may hold frequent keys alone.
  }
}

TEST_CASE("repeated keys whose rows are promoted or evicted in one batch go to the right rows",
          "[sparse][eviction]") {
  TableSpec spec = SpecWith({.budget_bytes = 66'000, .budget_policy = BudgetPolicy::kEvictLowest});
  spec.tail = {.below = 3, .format = {}};
  Table table(spec);
  Rng rng(4);
  for (int round = 0; round < 300; ++round) {
    const std::vector<Key> keys = test::Keys(rng, 64, 6000);
    table.Push(keys, std::vector<std::uint32_t>(64, 1), std::vector<float>(128, -1), 1, 1);
    table.ForEachRow([&](const RowView& row) {
      REQUIRE(row.values[0] == static_cast<float>(row.count));  // Each push adds one to both.
    });
  }
  CHECK(table.Statistics().evicted_budget > 1000);
  CHECK(table.Statistics().rows_promoted > 100);
}

}  // namespace
}  // namespace longtail::sparse
