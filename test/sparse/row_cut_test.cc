// A cut shows the rows of one moment, whatever happens to the table while it is read.
#include "sparse/row_cut.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "sparse/changing_tables.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

using test::ChangeSome;
using test::RowOf;
using test::Rows;
using test::RowsOf;
using test::SpecNumber;
using test::Tables;

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
