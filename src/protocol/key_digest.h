// The name of a list of keys: what stands for it once both ends have it.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "longtail/ids.h"

namespace longtail {

/// XXH3-128 with seed 0 over the keys as they lie in memory. Two lists have the same one with a
/// chance of 2^-128; who makes keys up to that end can find such lists, see docs/CLUSTER.md.
struct KeyDigest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  bool operator==(const KeyDigest&) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const KeyDigest& digest) {
    return H::combine(std::move(state), digest.low, digest.high);
  }
};

/// Source: Collet, xxHash specification, XXH3_128bits.
KeyDigest DigestOf(std::span<const Key> keys);

}  // namespace longtail
