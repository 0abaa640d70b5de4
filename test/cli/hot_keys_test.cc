#include "cli/hot_keys.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <tuple>

#include "base/random.h"
#include "cli/row_blocks.h"

namespace longtail::cli {
namespace {

using test::BlockOf;
using test::BlockRow;

TEST_CASE("the hottest keys are those that sorting all of them gives", "[cli][hot_keys]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  const std::size_t top = GENERATE(1U, 2U, 7U, 100U, 1000U);
  CAPTURE(seed, top);
  Rng rng(seed);
  HotKeys hot(top, 2);
  std::vector<HotKey> want;
  std::uint64_t occurrences = 0;
  for (int block = 0; block < 5; ++block) {
    std::vector<BlockRow> rows(rng.Below(60));
    for (BlockRow& row : rows) {
      // Few counts, so that there are many ties.
      row = {.key = rng.Next(),
             .count = static_cast<std::uint32_t>(rng.Below(9)),
             .last_step = static_cast<std::uint32_t>(rng.Below(1000)),
             .values = {3, 4, 100}};
      want.push_back({row.key, row.count, row.last_step, 5});
      occurrences += row.count;
    }
    hot.Add(BlockOf(3, rows));
  }
  const std::size_t rows = want.size();
  std::ranges::sort(want, [](const HotKey& a, const HotKey& b) {
    return std::tuple(b.count, a.key) < std::tuple(a.count, b.key);
  });
  want.resize(std::min(top, want.size()));

  CHECK(hot.Sorted() == want);
  CHECK(hot.rows() == rows);
  CHECK(hot.occurrences() == occurrences);
}

TEST_CASE("of no rows, and of none wanted, no key is hot", "[cli][hot_keys]") {
  CHECK(HotKeys(3, 1).Sorted().empty());

  HotKeys none(0, 1);
  none.Add(test::BlockOfCounts({5, 6}));

  CHECK(none.Sorted().empty());
  CHECK(none.occurrences() == 11);
}

TEST_CASE("a row that is narrower than its table counts with what it has", "[cli][hot_keys]") {
  HotKeys hot(1, 4);
  hot.Add(BlockOf(2, {{.key = 1, .count = 1, .last_step = 1, .values = {5, 12}}}));

  CHECK(hot.Sorted().at(0).weight_norm == 13);
}

}  // namespace
}  // namespace longtail::cli
