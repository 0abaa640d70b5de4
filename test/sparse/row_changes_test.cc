// What changed since a moment, put on top of what there was then, is what there is now.
#include "sparse/row_changes.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "sparse/changing_tables.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

using test::ChangeSome;
using test::Row;
using test::RowOf;
using test::Rows;
using test::RowsOf;
using test::SpecNumber;
using test::Tables;

// What a table gives of its changes, read while it goes on.
struct Increment {
  Rows rows;
  std::vector<Key> gone;
};

Increment TakeIncrement(Rng& rng, Tables& tables) {
  Increment increment;
  bool has_twice = false;
  const auto visit = [&](const RowView& view) {
    has_twice |= !increment.rows.emplace(view.key, RowOf(view)).second;
  };
  while (tables.cut.VisitCut(static_cast<std::uint32_t>(1 + rng.Below(90)), visit)) {
    for (std::uint64_t left = rng.Below(3); left != 0; --left) ChangeSome(rng, tables);
  }
  tables.cut.EndCut();
  const auto& gone = tables.cut.gone();
  increment.gone.assign(gone.begin(), gone.end());
  CHECK(!has_twice);
  return increment;
}

void Apply(const Increment& increment, Rows& rows) {
  for (const Key key : increment.gone) {
    CHECK(!increment.rows.contains(key));
    rows.erase(key);
  }
  for (const auto& [key, row] : increment.rows) rows[key] = row;
}

TEST_CASE("changes on top of what was marked are what there is", "[sparse][changes]") {
  std::uint64_t left_out = 0;
  std::uint64_t gone = 0;
  for (std::uint64_t seed = 0; seed < 168; ++seed) {
    CAPTURE(seed);
    Rng rng(seed);
    const TableSpec spec = SpecNumber(seed);
    Tables tables{Table(spec), Table(spec)};
    Table& table = tables.cut;
    for (std::uint64_t left = rng.Below(30); left != 0; --left) ChangeSome(rng, tables);
    // The newest that is known to have been kept, and since when the table has its changes.
    Rows base = RowsOf(table);
    ChangesSince since = ChangesSince::kMark;
    table.MarkChanges();
    for (int round = 0; round < 6; ++round) {
      CAPTURE(round);
      for (std::uint64_t left = rng.Below(8); left != 0; --left) ChangeSome(rng, tables);
      const Rows want = RowsOf(table);
      table.KeepChanges(since);
      REQUIRE(table.knows_changes());
      table.BeginCutOfChanges();
      table.MarkChanges();
      const Increment increment = TakeIncrement(rng, tables);
      REQUIRE(table.ContentHash() == tables.other.ContentHash());
      Rows have = base;
      Apply(increment, have);
      REQUIRE(have == want);
      left_out += want.size() - increment.rows.size();
      gone += increment.gone.size();
      // One that fails is in the next one, too.
      const bool failed = rng.Below(3) == 0;
      since = failed ? ChangesSince::kMarkBefore : ChangesSince::kMark;
      if (!failed) base = want;
    }
  }
  CHECK(left_out > 20'000);
  CHECK(gone > 2000);
}

// Rows that come and go between two marks were never there, as far as an increment is concerned.
TEST_CASE("keys that came after the mark leave nothing when they go", "[sparse][changes]") {
  Table table(SpecNumber(0));
  const std::vector<float> values(table.value_count(), 0.5F);
  const auto import = [&](Key key) { REQUIRE(table.Import({key, 1, 0, values}).ok()); };
  const auto increment = [&] {
    table.KeepChanges(ChangesSince::kMark);
    const std::uint64_t bytes = table.BeginCutOfChanges();
    std::uint64_t rows = 0;
    table.VisitCut(100, [&](const RowView&) { ++rows; });
    table.EndCut();
    table.MarkChanges();
    CHECK((bytes == 0) == (rows == 0));
    return rows;
  };
  import(1);
  import(2);
  table.MarkChanges();

  for (int i = 0; i < 3; ++i) {
    import(7);
    table.Erase(7);
  }
  CHECK(increment() == 0);
  CHECK(table.gone().empty());

  table.Erase(1);
  import(8);
  CHECK(increment() == 1);
  CHECK(table.gone() == absl::btree_set<Key>{1});

  // One that was there, went and came is no new one.
  table.Erase(2);
  import(2);
  table.Erase(2);
  CHECK(increment() == 0);
  CHECK(table.gone() == absl::btree_set<Key>{2});
}

TEST_CASE("a key that went before a mark and came after it is no new one", "[sparse][changes]") {
  Table table(SpecNumber(0));
  const std::vector<float> values(table.value_count(), 0.5F);
  const Row row{.count = 1, .last_step = 0, .values = values};
  const RowView view{1, row.count, row.last_step, row.values};
  REQUIRE(table.Import(view).ok());
  table.MarkChanges();
  table.Erase(1);
  table.MarkChanges();
  REQUIRE(table.Import(view).ok());
  table.KeepChanges(ChangesSince::kMarkBefore);

  table.Erase(1);

  table.MarkChanges();
  CHECK(table.gone() == absl::btree_set<Key>{1});
}

TEST_CASE("of more than an eighth of the keys nobody remembers that they went",
          "[sparse][changes]") {
  constexpr Key kRows = 60'000;
  Table table(SpecNumber(0));
  const std::vector<float> values(table.value_count(), 0.5F);
  for (Key key = 0; key < kRows; ++key) REQUIRE(table.Import({key, 1, 0, values}).ok());
  CHECK(!table.knows_changes());
  table.MarkChanges();

  Key erased = 0;
  for (; erased < kRows && table.knows_changes(); ++erased) table.Erase(erased);

  CHECK(erased > kRows / 10);
  CHECK(erased < kRows / 8);
  table.MarkChanges();
  CHECK(table.knows_changes());
  table.KeepChanges(ChangesSince::kMarkBefore);
  CHECK(!table.knows_changes());
  table.KeepChanges(ChangesSince::kUnknown);
  CHECK(!table.knows_changes());
}

}  // namespace
}  // namespace longtail::sparse
