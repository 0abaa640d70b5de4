#include "examples/common/metrics/classification_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>

#include "examples/common/metrics/auc.h"
#include "examples/common/metrics/pairwise_sum.h"

namespace longtail::examples {

double LoglossOf(bool positive, double probability) {
  const double p = std::clamp(probability, kLoglossEpsilon, 1 - kLoglossEpsilon);
  return positive ? -std::log(p) : -std::log1p(-p);
}

ClassificationMetrics Measure(std::span<const PackedExample> sorted) {
  const AucCounts counts = CountAucPairs(sorted);
  ClassificationMetrics metrics{.example_count = sorted.size(),
                                .positive_count = counts.positive_count};
  if (sorted.empty()) return metrics;
  const auto size = static_cast<double>(sorted.size());
  const double loss = PairwiseSum(0, sorted.size(), [&](std::size_t i) {
    const ScoredExample example = Unpack(sorted[i]);
    return LoglossOf(example.positive, double{example.score});
  });
  const double probability =
      PairwiseSum(0, sorted.size(), [&](std::size_t i) { return double{Unpack(sorted[i]).score}; });
  const auto positives = static_cast<double>(counts.positive_count);
  metrics.auc = counts.Value();
  metrics.logloss = loss / size;
  metrics.mean_probability = probability / size;
  metrics.mean_label = positives / size;
  if (counts.positive_count > 0) metrics.calibration = probability / positives;
  if (metrics.auc) {
    const double mean = *metrics.mean_label;
    const double entropy = -(mean * std::log(mean) + (1 - mean) * std::log1p(-mean));
    metrics.normalized_entropy = *metrics.logloss / entropy;
  }
  return metrics;
}

std::string MetricText(const std::optional<double>& metric, std::uint64_t example_count,
                       int digits) {
  if (!metric) return example_count == 0 ? "n/a (empty)" : "n/a (one class)";
  std::array<char, 352> text{};  // The widest double has 309 digits before the point.
  const int size =
      std::snprintf(text.data(), text.size(), "%.*f", std::clamp(digits, 0, 17), *metric);
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace longtail::examples
