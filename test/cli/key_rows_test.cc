#include "cli/key_rows.h"

#include <catch2/catch.hpp>

#include "cli/row_blocks.h"

namespace longtail::cli {
namespace {

using test::BlockOf;

TEST_CASE("the rows of the wanted keys are kept, weights apart from state", "[cli][key_rows]") {
  KeyRows rows(std::vector<Key>{7, 0, ~Key{0}, 7}, 2);

  rows.Add(BlockOf(3, {{.key = 7, .count = 4, .last_step = 9, .values = {1, 2, 3}},
                       {.key = 8, .count = 1, .last_step = 1, .values = {4, 5, 6}}}));
  rows.Add(BlockOf(3, {{.key = ~Key{0}, .count = 5, .last_step = 6, .values = {7, 8, 9}}}));

  CHECK(rows.Find(7) == KeyRow{4, 9, {1, 2}, {3}});
  CHECK(rows.Find(~Key{0}) == KeyRow{5, 6, {7, 8}, {9}});
  CHECK(rows.Find(0) == std::nullopt);
  CHECK(rows.Find(8) == std::nullopt);
}

TEST_CASE("a row without state, or narrower than its table, has what it has", "[cli][key_rows]") {
  KeyRows rows(std::vector<Key>{1}, 4);

  rows.Add(BlockOf(2, {{.key = 1, .count = 2, .last_step = 3, .values = {5, 6}}}));

  CHECK(rows.Find(1) == KeyRow{2, 3, {5, 6}, {}});
}

}  // namespace
}  // namespace longtail::cli
