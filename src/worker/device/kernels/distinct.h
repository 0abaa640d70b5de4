// The steps of deduplication between its sort and its sum; worker/device/distinct_keys.h has all.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/host_device.h"

namespace longtail::device {

/// hashes[i] = Mix64(keys[i]), positions[i] = i: what is sorted. By hash, so that what is sorted is
/// grouped by partition, which a hash's highest bits choose.
struct HashKeysCall {
  const std::uint64_t* keys = nullptr;  ///< [count]
  std::uint64_t* hashes = nullptr;      ///< [count]
  std::uint32_t* positions = nullptr;   ///< [count]
  std::uint32_t count = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    hashes[i] = Mix64(keys[i]);
    positions[i] = i;
  }
};

/// flags[i] = whether sorted place i begins a segment of equal hashes.
struct MarkHeadsCall {
  const std::uint64_t* hashes = nullptr;  ///< [count] sorted
  std::uint32_t* flags = nullptr;         ///< [count]
  std::uint32_t count = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    flags[i] = i == 0 || hashes[i] != hashes[i - 1] ? 1 : 0;
  }
};

/// From the heads and their exclusive sum: each key once, where its segment begins, and for each
/// position the place of its key.
struct NumberKeysCall {
  const std::uint64_t* hashes = nullptr;     ///< [count] sorted
  const std::uint32_t* positions = nullptr;  ///< [count] sorted with them
  const std::uint32_t* flags = nullptr;      ///< [count]
  const std::uint32_t* sums = nullptr;       ///< [count] exclusive sum of flags
  std::uint64_t* keys = nullptr;             ///< [unique] of [count]
  std::uint32_t* begins = nullptr;           ///< [unique + 1] of [count + 1]
  std::uint32_t* inverse = nullptr;          ///< [count] by position
  std::uint32_t* unique_count = nullptr;     ///< [1]
  std::uint32_t count = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t place = sums[i] + flags[i] - 1;
    inverse[positions[i]] = place;
    if (flags[i] != 0) {
      keys[place] = Unmix64(hashes[i]);
      begins[place] = i;
    }
    if (i + 1 == count) {
      begins[place + 1] = count;
      *unique_count = place + 1;
    }
  }
};

template <typename Grid>
void Run(const HashKeysCall& call, Grid& grid) {
  grid.ForEach(call.count, call);
}
template <typename Grid>
void Run(const MarkHeadsCall& call, Grid& grid) {
  grid.ForEach(call.count, call);
}
template <typename Grid>
void Run(const NumberKeysCall& call, Grid& grid) {
  grid.ForEach(call.count, call);
}

}  // namespace longtail::device
