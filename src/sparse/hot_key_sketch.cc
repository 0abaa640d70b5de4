#include "sparse/hot_key_sketch.h"

#include <algorithm>

namespace longtail::sparse {

void HotKeySketch::Add(Key key, std::uint64_t times) {
  if (times == 0) return;  // A push that counts no occurrences.
  // A key is there once or not at all. A sum has no exit, so the loop is a few wide operations.
  std::size_t found = 0;
  for (std::size_t i = 0; i < size_; ++i) found += keys_[i] == key ? i + 1 : 0;
  if (found == 0) {
    found = 1 + (size_ < kHotKeysMax ? size_++ : Lowest());
    keys_[found - 1] = key;
    errors_[found - 1] = counts_[found - 1];
  }
  counts_[found - 1] += times;
}

// Counts grow, so those before next_ stay above lowest_ until a round is over.
std::size_t HotKeySketch::Lowest() {
  for (;;) {
    for (; next_ < kHotKeysMax; ++next_) {
      if (counts_[next_] == lowest_) return next_;
    }
    lowest_ = *std::ranges::min_element(counts_);
    next_ = 0;
  }
}

std::vector<HotKeyCount> HotKeySketch::Sorted() const {
  std::vector<HotKeyCount> sorted;
  for (std::size_t i = 0; i < size_; ++i) sorted.push_back({keys_[i], counts_[i], errors_[i]});
  std::ranges::sort(sorted, [](const HotKeyCount& a, const HotKeyCount& b) {
    return a.count != b.count ? a.count > b.count : a.key < b.key;
  });
  return sorted;
}

}  // namespace longtail::sparse
