// Collapsed Gibbs sampling as it is written down: what the sampler for use is measured against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "examples/topics/priors.h"

namespace longtail::examples {

/// All tokens and all counts in memory, each token at the cost of every topic.
///
/// Source: Griffiths, Steyvers, "Finding Scientific Topics", PNAS 101 (2004).
///
/// Thread: one owner.
class GibbsSampler {
 public:
  /// Documents are lists of words' numbers below priors.vocabulary_size. Topics begin at random.
  GibbsSampler(std::vector<std::vector<std::uint32_t>> documents, Priors priors,
               std::uint64_t seed);

  /// Draws a new topic for every token.
  void Sweep();

  /// n_wk, [vocabulary, topics], row-major.
  std::span<const std::int32_t> word_topics() const { return word_topics_; }
  /// n_k, [topics].
  std::span<const std::int64_t> sums() const { return sums_; }

 private:
  const std::vector<std::vector<std::uint32_t>> documents_;
  const Priors priors_;
  Rng random_;
  std::vector<std::vector<std::uint32_t>> topics_;  // As documents_.
  std::vector<std::int32_t> word_topics_;
  std::vector<std::int64_t> sums_;
  std::vector<std::int32_t> document_topics_;  // Of the document at hand.
  std::vector<double> running_;                // Sums of the conditional's weights.
};

}  // namespace longtail::examples
