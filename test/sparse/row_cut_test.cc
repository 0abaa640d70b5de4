// A cut shows the rows of one moment, whatever happens to the table while it is read.
#include "sparse/row_cut.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

struct Row {
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::vector<float> values;

  bool operator==(const Row&) const = default;
};
using Rows = std::map<Key, Row>;

Row RowOf(const RowView& view) {
  return {view.count, view.last_step, {view.values.begin(), view.values.end()}};
}

Rows RowsOf(const Table& table) {
  Rows rows;
  table.ForEachRow([&](const RowView& view) { rows[view.key] = RowOf(view); });
  return rows;
}

// What there is of eviction, tails and admission, each in some of the specs.
TableSpec SpecNumber(std::uint64_t number) {
  TableSpec spec = test::SpecOf(test::Rules().at(number % 7), test::Initializers().at(number % 4),
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

// A table that is cut, and one of the same changes that never is.
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
void ChangeSome(Rng& rng, Tables& tables) {
  if (rng.Below(3) == 0) {
    ++tables.step;
    tables.Both([&](Table& table) { table.EndSteps(tables.step); });
  }
  const std::vector<Key> keys = test::Keys(rng, 1 + rng.Below(40), 400);
  const std::vector<std::uint32_t> counts = test::Counts(rng, keys.size(), 3);
  const std::vector<float> gradients = test::Floats(rng, keys.size() * tables.cut.dim(), -1, 1);
  tables.Both([&](Table& table) { table.Push(keys, counts, gradients, tables.step, 1); });
  for (const Key key : test::Keys(rng, rng.Below(6), 400)) {
    tables.Both([&](Table& table) { table.Erase(key); });
  }
  if (rng.Below(4) != 0) return;
  const std::vector<float> values(tables.cut.value_count(), 0.5F);
  const Key key = test::Keys(rng, 1, 400)[0];
  const auto count = static_cast<std::uint32_t>(1 + rng.Below(10));
  tables.Both([&](Table& table) { REQUIRE(table.Import({key, count, tables.step, values}).ok()); });
}

TEST_CASE("a cut has the rows of its moment while the table goes on", "[sparse][cut]") {
  std::uint64_t copied = 0;
  for (std::uint64_t seed = 0; seed < 168; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const TableSpec spec = SpecNumber(seed);
    INFO(Validate(spec).ToString());
    REQUIRE(Validate(spec).ok());
    Tables tables{Table(spec), Table(spec)};
    Table& table = tables.cut;
    for (int cut = 0; cut < 3; ++cut) {
      for (std::uint64_t left = rng.Below(30); left != 0; --left) ChangeSome(rng, tables);
      const Rows want = RowsOf(table);
      table.BeginCut();
      Rows have;
      bool has_twice = false;
      const auto visit = [&](const RowView& view) {
        has_twice |= !have.emplace(view.key, RowOf(view)).second;
      };
      while (table.VisitCut(static_cast<std::uint32_t>(1 + rng.Below(90)), visit)) {
        for (std::uint64_t left = rng.Below(4); left != 0; --left) ChangeSome(rng, tables);
      }
      copied += table.cut_copied_bytes();
      REQUIRE(have == want);
      REQUIRE(!has_twice);
      REQUIRE(table.cut_kept_bytes() == 0);  // All have been visited.
      table.EndCut();
      REQUIRE(table.ContentHash() == tables.other.ContentHash());
    }
  }
  CHECK(copied > 1'000'000);
}

TEST_CASE("a cut that is given up keeps nothing", "[sparse][cut]") {
  Rng rng(1);
  const TableSpec spec = SpecNumber(0);
  Tables tables{Table(spec), Table(spec)};
  for (int i = 0; i < 20; ++i) ChangeSome(rng, tables);
  tables.cut.BeginCut();
  ChangeSome(rng, tables);
  CHECK(tables.cut.cut_kept_bytes() > 0);
  tables.cut.EndCut();
  CHECK(tables.cut.cut_kept_bytes() == 0);
  tables.cut.BeginCut();
  const Rows want = RowsOf(tables.cut);
  Rows have;
  tables.cut.VisitCut(100'000, [&](const RowView& view) { have[view.key] = RowOf(view); });
  CHECK(have == want);
}

}  // namespace
}  // namespace longtail::sparse
