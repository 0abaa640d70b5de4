#include "cli/count_histogram.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "base/random.h"
#include "cli/row_blocks.h"

namespace longtail::cli {
namespace {

using test::BlockOfCounts;

TEST_CASE("rows fall into bins of powers of two, empty ones between shown",
          "[cli][count_histogram]") {
  CountHistogram histogram;
  histogram.Add(BlockOfCounts({1, 2, 3, 1, 17}));
  histogram.Add(BlockOfCounts({31, 3}));

  CHECK(histogram.Bins() ==
        std::vector<CountBin>{{1, 1, 2}, {2, 3, 3}, {4, 7, 0}, {8, 15, 0}, {16, 31, 2}});
  CHECK(histogram.rows() == 7);
  CHECK(histogram.occurrences() == 58);
}

TEST_CASE("the lowest and the highest count there is have bins", "[cli][count_histogram]") {
  CountHistogram histogram;
  histogram.Add(BlockOfCounts({0, 4'294'967'295}));

  const std::vector<CountBin> bins = histogram.Bins();

  CHECK(bins.size() == 33);
  CHECK(bins.front() == CountBin{0, 0, 1});
  CHECK(bins.back() == CountBin{2'147'483'648, 4'294'967'295, 1});
}

TEST_CASE("no rows, no bins and no ranks", "[cli][count_histogram]") {
  CHECK(CountHistogram().Bins().empty());
  CHECK(CountHistogram().RankSample().empty());
}

TEST_CASE("a rank's count is what sorting all rows gives", "[cli][count_histogram]") {
  const std::size_t rows = GENERATE(1U, 2U, 3U, 5U, 6U, 99U, 100U, 101U, 700U);
  CAPTURE(rows);
  Rng rng(rows);
  std::vector<std::uint32_t> counts(rows);
  for (std::uint32_t& count : counts) {
    count = static_cast<std::uint32_t>(rng.Below(1 + rng.Below(50)));
  }
  CountHistogram histogram;
  histogram.Add(BlockOfCounts(counts));
  std::ranges::sort(counts, std::greater<>());

  const std::vector<RankCount> sample = histogram.RankSample();

  std::vector<std::uint64_t> ranks;
  for (const RankCount& entry : sample) {
    CHECK(entry.count == counts[entry.rank - 1]);
    ranks.push_back(entry.rank);
  }
  std::vector<std::uint64_t> want;
  for (const std::uint64_t rank : {1U, 2U, 5U, 10U, 20U, 50U, 100U, 200U, 500U}) {
    if (rank < rows) want.push_back(rank);
  }
  want.push_back(rows);
  CHECK(ranks == want);
}

}  // namespace
}  // namespace longtail::cli
