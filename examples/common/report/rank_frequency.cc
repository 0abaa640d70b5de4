#include "examples/common/report/rank_frequency.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

namespace longtail::examples {
namespace {

constexpr double kRanksPerDecade = 20;
constexpr std::uint64_t kFitCountMin = 5;
constexpr std::size_t kFitRankCountMin = 5;

// 1 … last, log-spaced, each once.
std::vector<std::uint64_t> LogSpacedRanks(std::uint64_t last) {
  std::vector<std::uint64_t> ranks;
  for (int step = 0;; ++step) {
    const double exact = std::pow(10, step / kRanksPerDecade);
    if (exact >= static_cast<double>(last)) break;
    const auto rank = static_cast<std::uint64_t>(exact);
    if (ranks.empty() || rank > ranks.back()) ranks.push_back(rank);
  }
  if (last > 0 && (ranks.empty() || ranks.back() < last)) ranks.push_back(last);
  return ranks;
}

// Walks ranks that only grow over an ordered list.
class RankWalk {
 public:
  explicit RankWalk(std::span<const RowsByCount> ordered) : ordered_(ordered) {}

  // Moves to `rank`, which exists, and returns its count.
  std::uint64_t CountAt(std::uint64_t rank) {
    while (rank > rank_before_ + ordered_[index_].row_count) {
      rank_before_ += ordered_[index_].row_count;
      lookups_before_ += ordered_[index_].row_count * ordered_[index_].count;
      ++index_;
    }
    lookups_ = lookups_before_ + (rank - rank_before_) * ordered_[index_].count;
    return ordered_[index_].count;
  }

  // The lookups of all ranks up to the one moved to.
  std::uint64_t lookups() const { return lookups_; }

 private:
  std::span<const RowsByCount> ordered_;
  std::size_t index_ = 0;
  std::uint64_t rank_before_ = 0;
  std::uint64_t lookups_before_ = 0;
  std::uint64_t lookups_ = 0;
};

}  // namespace

std::vector<RowsByCount> Ordered(std::span<const RowsByCount> counts) {
  std::vector<RowsByCount> sorted(counts.begin(), counts.end());
  std::ranges::sort(sorted, std::greater(), &RowsByCount::count);
  std::vector<RowsByCount> ordered;
  for (const RowsByCount& entry : sorted) {
    if (entry.count == 0 || entry.row_count == 0) continue;
    if (!ordered.empty() && ordered.back().count == entry.count) {
      ordered.back().row_count += entry.row_count;
    } else {
      ordered.push_back(entry);
    }
  }
  return ordered;
}

TailSummary Summarize(std::span<const RowsByCount> counts) {
  TailSummary summary;
  for (const RowsByCount& entry : counts) {
    if (entry.count == 0) continue;
    summary.row_count += entry.row_count;
    summary.lookup_count += entry.count * entry.row_count;
    if (entry.count == 1) summary.seen_once_count += entry.row_count;
  }
  return summary;
}

std::optional<ZipfFit> FitZipf(std::span<const RowsByCount> ordered) {
  std::uint64_t rank_last = 0;
  for (const RowsByCount& entry : ordered) {
    if (entry.count >= kFitCountMin) rank_last += entry.row_count;
  }
  const std::vector<std::uint64_t> ranks = LogSpacedRanks(rank_last);
  if (ranks.size() < kFitRankCountMin) return std::nullopt;
  RankWalk walk(ordered);
  std::vector<CurveXy> points;
  CurveXy mean;
  for (const std::uint64_t rank : ranks) {
    points.push_back({.x = std::log(static_cast<double>(rank)),
                      .y = std::log(static_cast<double>(walk.CountAt(rank)))});
    mean.x += points.back().x / static_cast<double>(ranks.size());
    mean.y += points.back().y / static_cast<double>(ranks.size());
  }
  if (points.front().y == points.back().y) return std::nullopt;
  double cross = 0;
  double square = 0;
  for (const CurveXy& point : points) {
    cross += (point.x - mean.x) * (point.y - mean.y);
    square += (point.x - mean.x) * (point.x - mean.x);
  }
  const double slope = cross / square;
  return ZipfFit{
      .exponent = -slope, .scale = std::exp(mean.y - slope * mean.x), .rank_last = rank_last};
}

std::vector<CurveXy> RankCurve(std::span<const RowsByCount> ordered) {
  RankWalk walk(ordered);
  std::vector<CurveXy> curve;
  for (const std::uint64_t rank : LogSpacedRanks(Summarize(ordered).row_count)) {
    curve.push_back({.x = static_cast<double>(rank), .y = static_cast<double>(walk.CountAt(rank))});
  }
  return curve;
}

std::vector<CurveXy> CoverageCurve(std::span<const RowsByCount> ordered) {
  const TailSummary summary = Summarize(ordered);
  RankWalk walk(ordered);
  std::vector<CurveXy> curve;
  for (const std::uint64_t rank : LogSpacedRanks(summary.row_count)) {
    (void)walk.CountAt(rank);
    curve.push_back(
        {.x = static_cast<double>(rank) / static_cast<double>(summary.row_count),
         .y = static_cast<double>(walk.lookups()) / static_cast<double>(summary.lookup_count)});
  }
  return curve;
}

double LookupShare(std::span<const RowsByCount> ordered, double row_share) {
  const TailSummary summary = Summarize(ordered);
  const double exact = std::clamp(row_share, 0.0, 1.0) * static_cast<double>(summary.row_count);
  const auto rank = static_cast<std::uint64_t>(exact);
  if (rank == 0) return 0;
  RankWalk walk(ordered);
  (void)walk.CountAt(rank);
  return static_cast<double>(walk.lookups()) / static_cast<double>(summary.lookup_count);
}

}  // namespace longtail::examples
