#include "cli/table_summary.h"

#include <catch2/catch.hpp>
#include <limits>

#include "cli/row_blocks.h"

namespace longtail::cli {
namespace {

using test::BlockOf;
using test::BlockOfCounts;

TEST_CASE("every count has its bucket, at each edge", "[cli][frequency_bucket]") {
  constexpr std::uint32_t kMax = std::numeric_limits<std::uint32_t>::max();
  for (const auto& [count, name] :
       std::vector<std::pair<std::uint32_t, std::string>>{{0, "0"},
                                                          {1, "1"},
                                                          {2, "2-4"},
                                                          {4, "2-4"},
                                                          {5, "5-9"},
                                                          {9, "5-9"},
                                                          {10, "10-99"},
                                                          {99, "10-99"},
                                                          {100, "100+"},
                                                          {kMax, "100+"}}) {
    CAPTURE(count);
    CHECK(kFrequencyBuckets[BucketOf(count)].name == name);
  }
}

TEST_CASE("a summary counts rows and occurrences of all blocks by bucket", "[cli][table_summary]") {
  TableSummary summary;

  summary.Add(BlockOfCounts({0, 1, 1, 3}));
  summary.Add(BlockOfCounts({}));
  summary.Add(BlockOfCounts({7, 50, 100, 4'000'000'000, 4'000'000'000}));

  CHECK(summary.all == RowsAndOccurrences{9, 8'000'000'162});
  CHECK(summary.buckets[0] == RowsAndOccurrences{1, 0});
  CHECK(summary.buckets[1] == RowsAndOccurrences{2, 2});
  CHECK(summary.buckets[2] == RowsAndOccurrences{1, 3});
  CHECK(summary.buckets[3] == RowsAndOccurrences{1, 7});
  CHECK(summary.buckets[4] == RowsAndOccurrences{1, 50});
  CHECK(summary.buckets[5] == RowsAndOccurrences{3, 8'000'000'100});
}

TEST_CASE("a summary knows what rows weigh before compression", "[cli][table_summary]") {
  TableSummary summary;
  CHECK(summary.floats_per_row == 0);

  summary.Add(BlockOf(5, {{.key = 1, .count = 2, .last_step = 3}, {.key = 2}}));
  summary.Add(BlockOf(5, {{.key = 9}}));

  CHECK(summary.floats_per_row == 5);
  CHECK(summary.row_bytes == 3 * (8 + 4 + 4 + 5 * 4));
}

}  // namespace
}  // namespace longtail::cli
