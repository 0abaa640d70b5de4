// Which keys of a table are used most, from a sample of their uses.
//
// Thread: one owner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "longtail/ids.h"
#include "longtail/statistics.h"
#include "sparse/hot_key_sketch.h"

namespace longtail::sparse {

class UseSampler {
 public:
  /// The keys were used, each as often as `counts` says; null: once.
  ///
  /// Cost: one use in 64 is looked at.
  void Sample(std::span<const Key> keys, const std::uint32_t* counts);

  /// As TableStatistics has them.
  std::vector<HotKeyCount> HotKeys() const;

 private:
  HotKeySketch hot_;             // Fed with the uses that fall on
  std::uint64_t sampled_ = 0;    // sampled positions: so many were,
  std::uint64_t to_sample_ = 0;  // and so many uses are left out before the next.
};

}  // namespace longtail::sparse
