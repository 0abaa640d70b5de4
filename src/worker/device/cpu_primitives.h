// The primitives of primitives.h on the calling thread.
#pragma once

#include <cstdint>
#include <span>

#include "worker/device/primitives.h"

namespace longtail::device {

/// What a sort of `count` pairs needs besides its results.
struct SortSpace {
  std::span<std::uint64_t> keys;    ///< [count]
  std::span<std::uint32_t> values;  ///< [count]
};

/// Radix sort by bytes from the lowest; a byte in which all keys agree costs nothing.
void SortOnCpu(const SortPairs& call, const SortSpace& space);

void FindRunsOnCpu(const RunLengths& call);
void SumOnCpu(const ExclusiveSum& call);
void PickOnCpu(const Select& call);

}  // namespace longtail::device
