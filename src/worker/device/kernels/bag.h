// Bags: the keys of one field of one example, and how their rows become one vector.
//
//   example e, field f  ->  bag e * fields + f  ->  keys offsets[bag] up to offsets[bag + 1]
//
// Without offsets each bag has the one key of its own number: the vectors stand one behind another.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace longtail::device {

enum class Pooling : std::uint32_t {
  kSum,
  kMean,  ///< The sum divided by the number of keys: each key's weight is its value times 1 / n.
};

struct Bags {
  const std::uint32_t* offsets = nullptr;  ///< [examples * fields + 1], or null: one key a bag.
  const float* values = nullptr;           ///< [keys], or null: each is 1.
  std::uint32_t examples = 0;
  std::uint32_t fields = 0;
};

/// The value of a key, times its share of the mean.
LONGTAIL_HOST_DEVICE inline float KeyWeight(const Bags& bags, Pooling pooling, std::uint32_t key,
                                            std::uint32_t keys_in_bag) {
  const float share = pooling == Pooling::kMean ? 1 / static_cast<float>(keys_in_bag) : 1;
  return (bags.values == nullptr ? 1 : bags.values[key]) * share;
}

}  // namespace longtail::device
