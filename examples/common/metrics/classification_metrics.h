// What there is to say about predicted probabilities of a set with labels 0 and 1.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "examples/common/metrics/scored_example.h"

namespace longtail::examples {

/// Probabilities are moved into [epsilon, 1 - epsilon] before their logarithm is taken. About the
/// step of a float below 1: a probability of exactly 1 costs what the closest one below it costs.
inline constexpr double kLoglossEpsilon = 1e-7;

/// The metrics of one set. A metric the set does not define is absent, never NaN:
/// of an empty set all are; of a set of one class `auc` and `normalized_entropy` are, and of a set
/// without a positive `calibration` too.
struct ClassificationMetrics {
  std::uint64_t example_count = 0;
  std::uint64_t positive_count = 0;
  std::optional<double> auc{};      ///< Exact; see auc.h.
  std::optional<double> logloss{};  ///< Mean, natural logarithm.
  std::optional<double>
      normalized_entropy{};             ///< Logloss over that of always saying the mean label.
  std::optional<double> calibration{};  ///< Mean probability over mean label; 1 is calibrated.
  std::optional<double> mean_probability{};
  std::optional<double> mean_label{};

  friend bool operator==(const ClassificationMetrics&, const ClassificationMetrics&) = default;
};

/// Returns -log of the probability given to the label that came.
[[nodiscard]] double LoglossOf(bool positive, double probability);

/// Measures a set that is sorted.
///
/// Shapes: sorted [n], ascending; scores are probabilities, 0..1.
/// Cost:   a few passes; two logarithms an example at the most.
/// Source: normalized entropy and calibration: He et al., "Practical Lessons from Predicting Clicks
///         on Ads at Facebook", ADKDD 2014, equation (1) and section 2.
[[nodiscard]] ClassificationMetrics Measure(std::span<const PackedExample> sorted);

/// Returns a metric with `digits` decimals, or why it is absent: "n/a (empty)", "n/a (one class)".
[[nodiscard]] std::string MetricText(const std::optional<double>& metric,
                                     std::uint64_t example_count, int digits);

}  // namespace longtail::examples
