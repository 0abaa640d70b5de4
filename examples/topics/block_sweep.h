// One pass over a block's tokens: rows are pulled, sampled with and pushed, some words at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "examples/topics/token_block.h"
#include "examples/topics/topic_sampler.h"
#include "examples/topics/word_topics.h"
#include "longtail/count_rows.h"
#include "longtail/ids.h"

namespace longtail::examples {

struct SweepOptions {
  /// A slice of words ends when it has so many tokens, or words.
  std::uint32_t slice_tokens = 32'768;
  std::uint32_t slice_words = 8'192;
  /// The topics' sums are pulled after so many slices. Meanwhile they have this worker's own
  /// changes and lack the others'.
  std::uint32_t sum_slices = 4;
};

/// The sweeps of one worker. Rows of the next slice are fetched while this one is sampled.
///
/// Thread: one owner.
class BlockSweep {
 public:
  /// `keys` are those of the vocabulary, by number. All but the options must outlive this object.
  BlockSweep(const SweepOptions& options, std::span<const Key> keys, const Priors& priors,
             WordTopics& counts);

  /// Draws a topic for every token of `block`; those that are kNoTopic get any. `seed`
  /// is of the sweep and the block: with one worker the same gives the same.
  ///
  /// Shapes: topics [tokens]; `documents` counts them, and does so afterwards.
  /// Errors: those of the counts.
  absl::Status Run(const TokenBlock& block, std::uint64_t seed, std::span<std::uint32_t> topics,
                   DocumentTopics& documents);

  /// Tokens that got another topic, since this was made.
  std::uint64_t moved() const { return sampler_.moved(); }

 private:
  // Sets slice_keys_[which] to those of the words from `first` on; returns where they end.
  std::size_t CutSlice(const TokenBlock& block, std::size_t first, std::size_t which);

  const SweepOptions options_;
  const std::span<const Key> keys_;
  WordTopics& counts_;
  TopicSampler sampler_;
  std::vector<Key> slice_keys_[2];
  CountRows rows_[2];
  CountRows changes_;
  CountRows sum_changes_;
  std::vector<std::int64_t> sums_;
};

}  // namespace longtail::examples
