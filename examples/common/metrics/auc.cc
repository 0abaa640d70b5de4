#include "examples/common/metrics/auc.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace longtail::examples {

std::optional<double> AucCounts::Value() const {
  if (positive_count == 0 || negative_count == 0) return std::nullopt;
  const std::uint64_t twice_pairs = 2 * positive_count * negative_count;
  return static_cast<double>(twice_wins) / static_cast<double>(twice_pairs);
}

AucCounts CountAucPairs(std::span<const PackedExample> sorted) {
  AucCounts counts;
  std::size_t begin = 0;
  while (begin < sorted.size()) {
    std::uint64_t positives = 0;
    std::size_t end = begin;
    for (; end < sorted.size() && SameScore(sorted[begin], sorted[end]); ++end) {
      positives += Unpack(sorted[end]).positive ? 1 : 0;
    }
    const std::uint64_t negatives = end - begin - positives;
    // All negatives so far score lower; those of this run tie.
    counts.twice_wins += positives * (2 * counts.negative_count + negatives);
    counts.positive_count += positives;
    counts.negative_count += negatives;
    begin = end;
  }
  return counts;
}

std::optional<double> Auc(std::span<const ScoredExample> examples) {
  std::vector<PackedExample> packed(examples.size());
  std::ranges::transform(examples, packed.begin(), Pack);
  std::ranges::sort(packed);
  return CountAucPairs(packed).Value();
}

}  // namespace longtail::examples
