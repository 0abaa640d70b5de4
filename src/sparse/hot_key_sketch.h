// The keys that come most often in a stream, in bounded memory.
//
// Thread: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "longtail/ids.h"
#include "longtail/statistics.h"

namespace longtail::sparse {

/// kHotKeysMax counters. A key without one takes the lowest, with its count as its own error. So a
/// count is never too low and its error bounds by how much it is too high; no key that came more
/// often than 1 / kHotKeysMax of all is missing.
///
/// Source: Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in
///         data streams", ICDT 2005 (Space-Saving), with an array in place of their list.
class HotKeySketch {
 public:
  /// The key came `times` times. Cost: reads the keys, and in the long tail a count; no allocation.
  void Add(Key key, std::uint64_t times);

  /// By falling count, of equal counts the lower key first.
  std::vector<HotKeyCount> Sorted() const;

 private:
  std::size_t Lowest();

  std::array<Key, kHotKeysMax> keys_{};  // Apart from the counts: a search reads keys alone.
  std::array<std::uint64_t, kHotKeysMax> counts_{};
  std::array<std::uint64_t, kHotKeysMax> errors_{};
  std::size_t size_ = 0;
  std::uint64_t lowest_ = 0;  // No count is lower, and
  std::size_t next_ = 0;      // none before this is as low.
};

}  // namespace longtail::sparse
