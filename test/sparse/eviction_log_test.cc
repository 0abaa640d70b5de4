#include "sparse/eviction_log.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <vector>

#include "sparse/table.h"

namespace longtail::sparse {
namespace {

std::set<Key> KeysOf(const Table& table) {
  std::set<Key> keys;
  table.ForEachRow([&](const RowView& row) { keys.insert(row.key); });
  return keys;
}

TEST_CASE("what a table evicts is in its log, each row once and as it was", "[sparse][eviction]") {
  TableSpec spec{.name = "rows", .dim = 1, .optimizer = {.rule = SgdSpec{.learning_rate = 1}}};
  spec.eviction = {.idle_steps = 40, .min_score = 3, .min_norm = 2, .sweep_steps = 4};
  Table table(spec);
  Table silent(spec);
  table.eviction_log().Open();
  for (Table* const t : {&table, &silent}) {
    for (Key key = 0; key < 300; ++key) {
      // Of three keys one is old, one rare, one short; but of ten one is none of these.
      const bool stays = key % 10 == 9;
      const std::uint32_t count = key % 3 == 1 && !stays ? 2 : 5;
      const std::uint32_t step = key % 3 == 0 && !stays ? 3 : 50;
      const float weight = key % 3 == 2 && !stays ? 1.0F : 4.0F;
      t->Push(std::vector<Key>{key}, std::vector<std::uint32_t>{count}, std::vector<float>{weight},
              step, 1);
    }
    t->EndSteps(50);
  }

  const std::vector<EvictedRow> rows = table.eviction_log().TakeRows();

  std::set<Key> gone;
  for (const EvictedRow& row : rows) {
    CAPTURE(row.key);
    CHECK(gone.insert(row.key).second);
    const auto reason = static_cast<EvictionReason>(row.key % 3);
    CHECK(row == EvictedRow{.key = row.key,
                            .reason = reason,
                            .count = reason == EvictionReason::kScore ? 2U : 5U,
                            .last_step = reason == EvictionReason::kIdle ? 3U : 50U,
                            .step = 50});
  }
  const std::set<Key> left = KeysOf(table);
  for (Key key = 0; key < 300; ++key) CHECK(gone.contains(key) != left.contains(key));
  CHECK(left.size() == 30);
  CHECK(table.eviction_log().TakeRows().empty());
  CHECK(silent.eviction_log().TakeRows().empty());
  CHECK(silent.ContentHash() == table.ContentHash());
}

TEST_CASE("what is evicted for want of room is in the log, too", "[sparse][eviction]") {
  TableSpec spec{.name = "rows", .dim = 8, .optimizer = {.rule = SgdSpec{.learning_rate = 1}}};
  spec.eviction = {.budget_bytes = 64 * 1024, .budget_policy = BudgetPolicy::kEvictLowest};
  Table table(spec);
  table.eviction_log().Open();
  const std::vector<float> gradient(8, 0.5F);
  constexpr Key kKeys = 3000;
  for (Key key = 0; key < kKeys; ++key) {
    table.Push(std::vector<Key>{key}, std::vector<std::uint32_t>{1}, gradient, 6, 1);
  }

  std::set<Key> gone;
  for (const EvictedRow& row : table.eviction_log().TakeRows()) {
    CHECK(row.reason == EvictionReason::kBudget);
    CHECK(row.count == 1);
    CHECK(row.step == 6);
    CHECK(gone.insert(row.key).second);
  }
  CHECK(gone.size() == table.Statistics().evicted_budget);
  const std::set<Key> left = KeysOf(table);
  for (Key key = 0; key < kKeys; ++key) CHECK(gone.contains(key) != left.contains(key));
}

TEST_CASE("rows beyond the bound of a log are counted", "[sparse][eviction]") {
  EvictionLog log;
  log.Add({.key = 1});
  CHECK(log.TakeRows().empty());  // Not open.
  log.Open();
  for (Key key = 0; key < kEvictedRowsMax + 3; ++key) log.Add({.key = key});
  CHECK(log.TakeLeftOut() == 3);
  CHECK(log.TakeLeftOut() == 0);
  const std::vector<EvictedRow> rows = log.TakeRows();
  REQUIRE(rows.size() == kEvictedRowsMax);
  CHECK(rows.back().key == kEvictedRowsMax - 1);
}

}  // namespace
}  // namespace longtail::sparse
