// How well a topic model foretells the words of documents that it has not seen.
//
// Document completion: of a document's tokens, sorted by their words' numbers, every second one is
// observed, and the others are to be foretold from the topics that those tell.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/common/metrics/count_bucket.h"
#include "examples/topics/priors.h"
#include "longtail/count_rows.h"

namespace longtail::examples {

/// The counts of a trained model.
///
/// Shapes: rows [vocabulary]; sums [topics].
struct ModelCounts {
  CountRows rows;
  std::vector<std::int64_t> sums;
};

/// Steps by which a document's topics are found.
inline constexpr int kFoldInSteps = 100;

/// Finds the topics of documents. Words are numbers; one that is not below the rows' is known to no
/// topic.
///
/// Thread: one owner. `counts` and `priors` must outlive it.
class FoldIn {
 public:
  FoldIn(const ModelCounts& counts, const Priors& priors);

  /// Sets theta to the document's distribution over topics: from a uniform one, kFoldInSteps times
  ///
  ///     theta_k <- (sum over tokens of p(k | w) + alpha_k) / (tokens + sum of alpha)
  ///
  /// Shapes: words [tokens], repeats allowed; theta [topics].
  /// Cost:   a step takes the topics once, and the words' own topics.
  void Run(std::span<const std::uint32_t> words, std::vector<double>& theta);

  /// The probability of a word under theta.
  double Probability(std::uint32_t word, std::span<const double> theta) const;

 private:
  struct Word {
    std::size_t begin = 0;
    std::size_t end = 0;
    double count = 0;  // Its tokens.
  };

  const ModelCounts& counts_;
  const Priors& priors_;
  std::vector<double> inverse_;  // 1 / (n_k + V beta), by topic.
  std::vector<Word> words_;
  std::vector<double> next_;
  std::vector<double> sparse_;  // theta_k n_wk / (n_k + V beta), of the words one after the other.
};

struct BucketPerplexity {
  std::uint64_t tokens = 0;
  double log_sum = 0;  ///< Of the held-out tokens' probabilities.

  double perplexity() const;
};

struct HeldOutResult {
  std::uint64_t documents = 0;
  BucketPerplexity all;
  BucketPerplexity unigram;  ///< The same tokens, each foretold by how often its word occurs.
  /// By how often the held-out word occurs in what was trained on.
  std::array<BucketPerplexity, kCountBucketCount> by_count;
};

/// Documents with fewer tokens than `tokens_min` are left out.
HeldOutResult MeasureHeldOut(const ModelCounts& counts, const Priors& priors,
                             std::span<const std::vector<std::uint32_t>> documents,
                             std::size_t tokens_min);

}  // namespace longtail::examples
