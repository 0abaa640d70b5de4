#include "examples/topics/block_sweep.h"

#include "base/random.h"
#include "base/status_macros.h"

namespace longtail::examples {

BlockSweep::BlockSweep(const SweepOptions& options, std::span<const Key> keys, const Priors& priors,
                       WordTopics& counts)
    : options_(options),
      keys_(keys),
      counts_(counts),
      sampler_(priors),
      sums_(priors.topic_count()) {}

std::size_t BlockSweep::CutSlice(const TokenBlock& block, std::size_t first, std::size_t which) {
  std::vector<Key>& keys = slice_keys_[which];
  keys.clear();
  std::size_t word = first;
  while (word < block.words.size() && keys.size() < options_.slice_words &&
         (word == first || block.ends[word] - block.begin(first) <= options_.slice_tokens)) {
    keys.push_back(keys_[block.words[word++]]);
  }
  return word;
}

absl::Status BlockSweep::Run(const TokenBlock& block, std::uint64_t seed,
                             std::span<std::uint32_t> topics, DocumentTopics& documents) {
  std::size_t begin = 0;
  std::size_t end = CutSlice(block, begin, 0);
  if (end == 0) return absl::OkStatus();
  LONGTAIL_RETURN_IF_ERROR(counts_.StartPull(slice_keys_[0], &rows_[0]));
  for (std::size_t slice = 0; begin < end; ++slice) {
    const std::size_t now = slice % 2;
    LONGTAIL_RETURN_IF_ERROR(counts_.FinishPull());
    const std::size_t next_end = CutSlice(block, end, 1 - now);
    if (end < next_end) {
      LONGTAIL_RETURN_IF_ERROR(counts_.StartPull(slice_keys_[1 - now], &rows_[1 - now]));
    }
    if (slice % options_.sum_slices == 0) {
      LONGTAIL_RETURN_IF_ERROR(counts_.PullSums(sums_));
      sampler_.SetSums(sums_);
    }
    changes_.clear();
    for (std::size_t word = begin; word < end; ++word) {
      sampler_.SampleWord(block, word, rows_[now], word - begin,
                          RandomStream(seed, block.words[word]), topics, documents, changes_);
    }
    sampler_.TakeSumChanges(sum_changes_);
    LONGTAIL_RETURN_IF_ERROR(counts_.Push(slice_keys_[now], changes_, sum_changes_));
    begin = end;
    end = next_end;
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
