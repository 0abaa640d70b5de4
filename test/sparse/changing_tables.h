// Tables of many kinds whose rows change in every way there is, and their rows as a map.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse::test {

using longtail::test::Counts;
using longtail::test::Floats;
using longtail::test::Initializers;
using longtail::test::Keys;
using longtail::test::Rules;
using longtail::test::SpecOf;

struct Row {
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> values;

  bool operator==(const Row&) const = default;
};
using Rows = std::map<Key, Row>;

inline Row RowOf(const RowView& view) {
  return {view.count, view.last_step, {view.values.begin(), view.values.end()}};
}

inline Rows RowsOf(const Table& table) {
  Rows rows;
  table.ForEachRow([&](const RowView& view) { rows[view.key] = RowOf(view); });
  return rows;
}

// What there is of eviction, tails and admission, each in some of the specs.
inline TableSpec SpecNumber(std::uint64_t number) {
  TableSpec spec = SpecOf(Rules().at(number % 7), Initializers().at(number % 4),
                          static_cast<std::uint32_t>(1 + number % 37));
  switch (number % 4) {
    case 0:  // One format.
      break;
    case 1:
      spec.tail = {.below = 6, .format = {.weights = WeightFormat::kInt8}};
      spec.format = {.weights = WeightFormat::kBfloat16};
      break;
    case 2:
      spec.tail = {.below = 6,
                   .format = {.weights = WeightFormat::kShared},
                   .field_bits = 2,
                   .bucket_bits = 3};
      break;
    default:
      spec.tail = {.below = 4};
      spec.eviction = {.idle_steps = 3,
                       .sweep_steps = 2,
                       .budget_bytes = 65'536,
                       .budget_policy = BudgetPolicy::kEvictLowest};
      break;
  }
  return spec;
}

// A table that is cut, and one of the same changes to which nothing else is done.
struct Tables {
  Table cut;
  Table other;
  std::uint32_t step = 0;

  template <typename Call>
  void Both(Call&& call) {
    call(cut);
    call(other);
  }
};

// Anything that changes rows.
inline void ChangeSome(Rng& rng, Tables& tables) {
  if (rng.Below(3) == 0) {
    ++tables.step;
    tables.Both([&](Table& table) { table.EndSteps(tables.step); });
  }
  const std::vector<Key> keys = Keys(rng, 1 + rng.Below(40), 400);
  const std::vector<std::uint32_t> counts = Counts(rng, keys.size(), 3);
  const std::vector<float> gradients = Floats(rng, keys.size() * tables.cut.dim(), -1, 1);
  tables.Both([&](Table& table) { table.Push(keys, counts, gradients, tables.step, 1); });
  for (const Key key : Keys(rng, rng.Below(6), 400)) {
    tables.Both([&](Table& table) { table.Erase(key); });
  }
  if (rng.Below(4) != 0) return;
  const std::vector<float> values(tables.cut.value_count(), 0.5F);
  const Key key = Keys(rng, 1, 400)[0];
  const auto count = static_cast<std::uint32_t>(1 + rng.Below(10));
  tables.Both([&](Table& table) { REQUIRE(table.Import({key, count, tables.step, values}).ok()); });
}

}  // namespace longtail::sparse::test
