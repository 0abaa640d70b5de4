// The area under the ROC curve of a whole set, exactly.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "examples/common/metrics/scored_example.h"

namespace longtail::examples {

/// The largest set whose pairs fit 64 bits: twice the pairs are at most n^2 / 2.
inline constexpr std::uint64_t kAucExampleCountMax = std::uint64_t{1} << 32;

/// The pairs of one positive and one negative example, counted.
struct AucCounts {
  std::uint64_t positive_count = 0;
  std::uint64_t negative_count = 0;
  std::uint64_t twice_wins = 0;  ///< 2 for each pair whose positive scores higher, 1 for each tie.

  /// Returns the share of the pairs won, a tie counting half; nothing if a class is missing.
  [[nodiscard]] std::optional<double> Value() const;
};

/// Counts the pairs of a set that is sorted.
///
/// Shapes: sorted [n], ascending, n at most kAucExampleCountMax.
/// Errors: none; the counts are exact integers, only AucCounts::Value rounds.
/// Cost:   one pass.
/// Source: Hanley, McNeil, "The Meaning and Use of the Area under a Receiver Operating
///         Characteristic (ROC) Curve", Radiology 143 (1982): the AUC is the Wilcoxon statistic,
///         P(positive > negative) + P(tie) / 2.
[[nodiscard]] AucCounts CountAucPairs(std::span<const PackedExample> sorted);

/// Returns the AUC of a set in any order; nothing if a class is missing.
///
/// Cost: a copy and a sort.
[[nodiscard]] std::optional<double> Auc(std::span<const ScoredExample> examples);

}  // namespace longtail::examples
