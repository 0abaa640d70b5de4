#include "sparse/use_sampler.h"

#include <cstddef>

#include "base/hash.h"

namespace longtail::sparse {
namespace {

// Uses from one that is sampled to the next: 1 to 127, each as likely, so that no period of the
// batches can fall in with them.
constexpr std::uint64_t kSampleGapMean = 64;
std::uint64_t SampleGap(std::uint64_t number) {
  return 1 + ((Mix64(number + 1) >> 32) * (2 * kSampleGapMean - 1) >> 32);
}

}  // namespace

// A use is sampled, not a key: a key that stands for many occurrences would be seen too seldom to
// tell how many. Of 64 occurrences at once one is taken without a draw.
void UseSampler::Sample(std::span<const Key> keys, const std::uint32_t* counts) {
  if (counts == nullptr) {
    std::uint64_t at = to_sample_;
    for (; at < keys.size(); at += SampleGap(sampled_++)) hot_.Add(keys[at], 1);
    to_sample_ = at - keys.size();
    return;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t rest = counts[i] % kSampleGapMean;
    std::uint64_t times = counts[i] / kSampleGapMean;
    for (; to_sample_ < rest; to_sample_ += SampleGap(sampled_++)) ++times;
    to_sample_ -= rest;
    if (times != 0) hot_.Add(keys[i], times);
  }
}

std::vector<HotKeyCount> UseSampler::HotKeys() const {
  std::vector<HotKeyCount> keys = hot_.Sorted();
  for (HotKeyCount& key : keys) {
    key.count *= kSampleGapMean;
    key.error *= kSampleGapMean;
  }
  return keys;
}

}  // namespace longtail::sparse
