// The four primitives that kernels are composed with: sort pairs, run lengths, exclusive sum,
// select.
//
// Plain structs that all devices take; pointers are to a device's memory. A count that a primitive
// finds stays on the device, so that no host waits for it.
#pragma once

#include <cstdint>

namespace longtail::device {

/// The most items of one primitive or kernel.
inline constexpr std::uint32_t kItemsMax = 0x7FFFFFFF;

/// Sorts pairs by key, ascending; equal keys stay in the order in which they were.
struct SortPairs {
  const std::uint64_t* keys = nullptr;     ///< [count]
  const std::uint32_t* values = nullptr;   ///< [count]
  std::uint64_t* sorted_keys = nullptr;    ///< [count], apart from keys.
  std::uint32_t* sorted_values = nullptr;  ///< [count], apart from values.
  std::uint32_t count = 0;
  std::uint32_t bits = 64;  ///< Only so many of the lowest bits differ among keys, 1..64.
};

/// Finds the runs of equal neighbours.
struct RunLengths {
  const std::uint64_t* keys = nullptr;  ///< [count]
  std::uint64_t* unique = nullptr;      ///< [runs] of [count], the key of each run.
  std::uint32_t* lengths = nullptr;     ///< [runs] of [count]; what is behind stays as it was.
  std::uint32_t* run_count = nullptr;   ///< [1]
  std::uint32_t count = 0;
};

/// sums[i] = values[0] + … + values[i - 1].
struct ExclusiveSum {
  const std::uint32_t* values = nullptr;  ///< [count]
  std::uint32_t* sums = nullptr;          ///< [count], apart from values.
  std::uint32_t count = 0;
};

/// Lists the places whose flag is not 0, ascending.
struct Select {
  const std::uint32_t* flags = nullptr;  ///< [count]
  std::uint32_t* places = nullptr;       ///< [place_count] of [count].
  std::uint32_t* place_count = nullptr;  ///< [1]
  std::uint32_t count = 0;
};

}  // namespace longtail::device
