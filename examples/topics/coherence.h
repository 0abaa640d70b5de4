// Whether the words that a topic puts first are found together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "examples/topics/topic_model.h"

namespace longtail::examples {

struct Coherence {
  double mean = 0;               ///< Of all topics that have one.
  std::vector<double> by_topic;  ///< NaN for a topic with fewer than two words.
};

/// The mean normalised pointwise mutual information of each topic's `words` likeliest words, pair
/// by pair: 1 for words that always come together, 0 for chance, -1 for words that never do.
/// Probabilities are shares of `documents`, as numbers of the model's vocabulary. A pair of which a
/// word is in no document says nothing and is left out.
///
/// Source: Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction", GSCL 2009;
///         Lau, Newman, Baldwin, "Machine Reading Tea Leaves", EACL 2014.
Coherence MeasureCoherence(const TopicModel& model,
                           std::span<const std::vector<std::uint32_t>> documents,
                           std::size_t words);

}  // namespace longtail::examples
