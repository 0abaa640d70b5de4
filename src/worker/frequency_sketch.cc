#include "worker/frequency_sketch.h"

#include <algorithm>
#include <limits>

namespace longtail {

void FrequencySketch::Add(std::uint64_t hash) {
  std::uint8_t& low = counters_[Place(hash & 0xFFFFFFFFU)];
  std::uint8_t& high = counters_[Place(hash >> 32)];
  // The higher one has been counted up by others, too: what it says of this hash stays right.
  const std::uint8_t least = std::min(low, high);
  if (least != std::numeric_limits<std::uint8_t>::max()) {
    const auto next = static_cast<std::uint8_t>(least + 1);
    low = std::max(low, next);
    high = std::max(high, next);
  }
  if (++added_ < counters_.size()) return;
  added_ = 0;
  for (std::uint8_t& counter : counters_) counter /= 2;
}

std::uint32_t FrequencySketch::Count(std::uint64_t hash) const {
  return std::min(counters_[Place(hash & 0xFFFFFFFFU)], counters_[Place(hash >> 32)]);
}

}  // namespace longtail
