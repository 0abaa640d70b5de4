// Random labelled predictions with many ties, and the AUC of them by its definition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "examples/common/metrics/scored_example.h"

namespace longtail::examples::test {

/// Returns `size` examples with at most `score_count` different scores in (0, 1]: the fewer, the
/// more ties. Positives score higher on average.
inline std::vector<ScoredExample> RandomExamples(std::mt19937_64& random, std::size_t size,
                                                 std::uint64_t score_count) {
  std::vector<ScoredExample> examples(size);
  for (ScoredExample& example : examples) {
    const std::uint64_t step = random() % score_count;
    example.score = static_cast<float>(step + 1) / static_cast<float>(score_count + 2);
    example.positive = random() % (score_count + 3) < step + 1;
  }
  return examples;
}

/// Returns the share of pairs won, by looking at each pair.
inline std::optional<double> SlowAuc(std::span<const ScoredExample> examples) {
  double wins = 0;
  double pairs = 0;
  for (const ScoredExample& a : examples) {
    for (const ScoredExample& b : examples) {
      if (!a.positive || b.positive) continue;
      pairs += 1;
      wins += a.score > b.score ? 1.0 : a.score == b.score ? 0.5 : 0.0;
    }
  }
  if (pairs == 0) return std::nullopt;
  return wins / pairs;
}

}  // namespace longtail::examples::test
