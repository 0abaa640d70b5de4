// Which elements dropout drops, as a pure function of a stream, an example and a column: written
// once for CPU and GPU.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/host_device.h"
#include "base/random.h"

namespace longtail {

/// Scrambles 32 bits; unlike Mix64 it vectorises on AVX2.
///
/// Source: Wellons, "Prospecting for Hash Functions", 2018, lowbias32.
LONGTAIL_HOST_DEVICE constexpr std::uint32_t Mix32(std::uint32_t bits) {
  bits = (bits ^ (bits >> 16)) * 0x7FEB352DU;
  bits = (bits ^ (bits >> 15)) * 0x846CA68BU;
  return bits ^ (bits >> 16);
}

/// Folds a number into a stream: a layer into that of a seed and a step, then an example, with
/// which a mask begins.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t DropoutKey(std::uint64_t stream, std::uint64_t part) {
  return Mix64((stream ^ Mix64(part + kGoldenGamma)) + kGoldenGamma);
}

/// The random bits of one column of an example.
LONGTAIL_HOST_DEVICE constexpr std::uint32_t DropoutBits(std::uint64_t key, std::uint32_t column) {
  // The second half of the key keeps rows whose first halves are near from sharing a mask.
  return Mix32(Mix32(static_cast<std::uint32_t>(key) + column) ^
               static_cast<std::uint32_t>(key >> 32));
}

}  // namespace longtail
