// The hash of a key, which places it in a partition and in an index.
#pragma once

#include <cstdint>

#include "base/host_device.h"

namespace longtail {

/// Scatters a 64-bit value: a bijection, so two keys never collide in all 64 bits, under which each
/// bit of the argument flips each bit of the result about half of the time. Mix64(0) is 0.
///
/// The bits are shared out, so that what chooses one thing says nothing of the next: the highest 16
/// choose the partition, the lowest 32 the line of an index, bits 40 to 47 the tag in a line.
///
/// Source: Stafford, "Better Bit Mixing", 2011, variant 13; it is the finaliser of SplitMix64 in
///         Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t Mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// The value whose Mix64 is `x`: the same steps backwards, with the multipliers' inverses.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t Unmix64(std::uint64_t x) {
  x = (x ^ (x >> 31) ^ (x >> 62)) * 0x319642B2D24D8EC3U;
  x = (x ^ (x >> 27) ^ (x >> 54)) * 0x96DE1B173F119089U;
  return x ^ (x >> 30) ^ (x >> 60);
}

}  // namespace longtail
