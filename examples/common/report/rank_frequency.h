// How often each row was looked up, and what shape that has: the long tail in numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace longtail::examples {

/// `row_count` rows were each looked up `count` times in training.
struct RowsByCount {
  std::uint64_t count = 0;
  std::uint64_t row_count = 0;

  friend bool operator==(const RowsByCount&, const RowsByCount&) = default;
};

/// A point of a curve.
struct CurveXy {
  double x = 0;
  double y = 0;

  friend bool operator==(const CurveXy&, const CurveXy&) = default;
};

/// What the whole list adds up to. Rows of count 0 are left out: nobody looked them up.
struct TailSummary {
  std::uint64_t row_count = 0;
  std::uint64_t lookup_count = 0;
  std::uint64_t seen_once_count = 0;  ///< Rows of count 1.
};

/// count(rank) = scale * rank^-exponent, ranks from 1.
struct ZipfFit {
  double exponent = 0;
  double scale = 0;
  std::uint64_t rank_last = 0;  ///< The last rank that went into the fit.
};

/// Returns the list with the largest count first, one entry a count, nothing of 0 rows or count 0.
[[nodiscard]] std::vector<RowsByCount> Ordered(std::span<const RowsByCount> counts);

/// Returns the totals of a list in any order.
[[nodiscard]] TailSummary Summarize(std::span<const RowsByCount> counts);

/// Fits a line through log(count) over log(rank), by least squares at twenty ranks a decade, so
/// that the millions of rare rows do not outvote the frequent. Ranks whose count is below 5 are
/// left out: there the whole numbers are steps, and the sample ends. Absent with fewer than five
/// ranks or one count alone.
///
/// Shapes: ordered as by Ordered.
/// Source: Zipf, "Human Behavior and the Principle of Least Effort", 1949, chapter 2: the straight
///         line of rank and frequency on double logarithmic paper.
[[nodiscard]] std::optional<ZipfFit> FitZipf(std::span<const RowsByCount> ordered);

/// Returns (rank, count) at log-spaced ranks, the first and the last included.
[[nodiscard]] std::vector<CurveXy> RankCurve(std::span<const RowsByCount> ordered);

/// Returns (share of rows, share of lookups) of the most frequent rows, up to (1, 1): at log-spaced
/// shares.
///
/// Source: Lorenz, "Methods of Measuring the Concentration of Wealth", Publications of the American
///         Statistical Association 9 (1905), here from the most frequent end.
[[nodiscard]] std::vector<CurveXy> CoverageCurve(std::span<const RowsByCount> ordered);

/// Returns the share of lookups that the most frequent `row_share` of the rows take.
[[nodiscard]] double LookupShare(std::span<const RowsByCount> ordered, double row_share);

}  // namespace longtail::examples
