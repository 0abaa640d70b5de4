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

/// What an example's mask begins with. `stream` belongs to a seed, a step and a layer.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t DropoutKey(std::uint64_t stream,
                                                        std::uint64_t example) {
  return Mix64((stream ^ Mix64(example + kGoldenGamma)) + kGoldenGamma);
}

/// The random bits of one column of an example.
LONGTAIL_HOST_DEVICE constexpr std::uint32_t DropoutBits(std::uint64_t key, std::uint32_t column) {
  // The second half of the key keeps rows whose first halves are near from sharing a mask.
  return Mix32(Mix32(static_cast<std::uint32_t>(key) + column) ^
               static_cast<std::uint32_t>(key >> 32));
}

}  // namespace longtail
