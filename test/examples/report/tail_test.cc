#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "examples/common/report/rank_frequency.h"

namespace longtail::examples {
namespace {

// Each row's count by itself, the most frequent first: the slow way to every number here.
std::vector<std::uint64_t> Expanded(const std::vector<RowsByCount>& ordered) {
  std::vector<std::uint64_t> counts;
  for (const RowsByCount& entry : ordered)
    counts.insert(counts.end(), entry.row_count, entry.count);
  return counts;
}

std::vector<RowsByCount> RandomCounts(std::mt19937_64& random) {
  std::vector<RowsByCount> counts(1 + random() % 40);
  for (RowsByCount& entry : counts) entry = {.count = random() % 60, .row_count = random() % 30};
  counts.push_back({.count = 1 + random() % 5, .row_count = 3});
  return counts;
}

TEST_CASE("the tail's numbers agree with a row by row count", "[report][tail][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::vector<RowsByCount> counts = RandomCounts(random);
  const std::vector<RowsByCount> ordered = Ordered(counts);
  const std::vector<std::uint64_t> rows = Expanded(ordered);
  std::uint64_t lookups = 0;
  for (const std::uint64_t count : rows) lookups += count;

  const TailSummary summary = Summarize(counts);
  CHECK(summary.row_count == rows.size());
  CHECK(summary.lookup_count == lookups);
  CHECK(summary.seen_once_count ==
        static_cast<std::uint64_t>(std::ranges::count(rows, std::uint64_t{1})));
  CHECK(std::ranges::is_sorted(rows, std::greater()));
  for (std::size_t i = 1; i < ordered.size(); ++i) CHECK(ordered[i - 1].count > ordered[i].count);

  const std::vector<CurveXy> ranks = RankCurve(ordered);
  const std::vector<CurveXy> coverage = CoverageCurve(ordered);
  REQUIRE(ranks.size() == coverage.size());
  CHECK(ranks.front().x == 1);
  CHECK(coverage.back() == CurveXy{.x = 1, .y = 1});
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const auto rank = static_cast<std::size_t>(ranks[i].x);
    CHECK(ranks[i].y == static_cast<double>(rows[rank - 1]));
    std::uint64_t before = 0;
    for (std::size_t r = 0; r < rank; ++r) before += rows[r];
    const double share = static_cast<double>(before) / static_cast<double>(lookups);
    CHECK(coverage[i].y == share);
    CHECK(LookupShare(ordered, (ranks[i].x + 0.5) / static_cast<double>(rows.size())) == share);
  }
}

TEST_CASE("the fit finds the exponent of a power law, whatever its tail", "[report][tail]") {
  const double exponent = GENERATE(0.7, 1.07, 1.6);
  CAPTURE(exponent);
  std::vector<RowsByCount> counts;
  for (double rank = 1; rank <= 20'000; rank += 1) {
    counts.push_back(
        {.count = static_cast<std::uint64_t>(3e6 * std::pow(rank, -exponent)), .row_count = 1});
  }
  counts.push_back({.count = 1, .row_count = 500'000});

  const std::optional<ZipfFit> fit = FitZipf(Ordered(counts));

  REQUIRE(fit.has_value());
  CHECK(fit->exponent == Approx(exponent).margin(0.02));
  CHECK(fit->scale == Approx(3e6).epsilon(0.1));
}

TEST_CASE("a tail without a shape has no fit", "[report][tail]") {
  CHECK_FALSE(FitZipf({}).has_value());
  CHECK_FALSE(FitZipf(std::vector<RowsByCount>{{.count = 9, .row_count = 1000}}).has_value());
  CHECK_FALSE(FitZipf(std::vector<RowsByCount>{{.count = 4, .row_count = 1000}}).has_value());
  CHECK(RankCurve({}).empty());
  CHECK(CoverageCurve({}).empty());
  CHECK(LookupShare({}, 0.5) == 0);
}

}  // namespace
}  // namespace longtail::examples
