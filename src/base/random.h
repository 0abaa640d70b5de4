// Random numbers as pure functions of a counter, and a stream of them for tests and simulation.
//
// No platform, compiler or order of calls changes a number.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/host_device.h"

namespace longtail {

/// 2^64 divided by the golden ratio, made odd.
inline constexpr std::uint64_t kGoldenGamma = 0x9E3779B97F4A7C15U;

/// The start of the sequence that belongs to `key` under `seed`.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t RandomStream(std::uint64_t seed, std::uint64_t key) {
  return Mix64(key ^ Mix64(seed + kGoldenGamma));
}

/// The 64 random bits at place `counter` of the sequence that starts at `stream`.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014,
///         SplitMix64 with its counter as an argument.
LONGTAIL_HOST_DEVICE constexpr std::uint64_t RandomAt(std::uint64_t stream, std::uint64_t counter) {
  return Mix64(stream + kGoldenGamma * (counter + 1));
}

/// The 64 random bits of (seed, key, counter).
LONGTAIL_HOST_DEVICE constexpr std::uint64_t RandomBits(std::uint64_t seed, std::uint64_t key,
                                                        std::uint64_t counter) {
  return RandomAt(RandomStream(seed, key), counter);
}

/// A float in [0, 1), one of 2^24 equally spaced and equally likely ones, from 64 random bits.
LONGTAIL_HOST_DEVICE constexpr float UnitFloat(std::uint64_t bits) {
  return static_cast<float>(bits >> 40) * 0x1.0p-24F;
}

/// A stream of random numbers: same seed, same numbers.
///
/// Thread: one owner.
class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) : stream_(RandomStream(seed, 0)) {}

  /// 64 random bits.
  constexpr std::uint64_t Next() { return RandomAt(stream_, counter_++); }

  /// A whole number in [0, bound), each equally likely; bound > 0.
  ///
  /// Source: Lemire, "Fast Random Integer Generation in an Interval", ACM TOMACS 29 (2019).
  constexpr std::uint64_t Below(std::uint64_t bound) {
    unsigned __int128 product = static_cast<unsigned __int128>(Next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
      const std::uint64_t threshold = (0 - bound) % bound;
      while (static_cast<std::uint64_t>(product) < threshold) {
        product = static_cast<unsigned __int128>(Next()) * bound;
      }
    }
    return static_cast<std::uint64_t>(product >> 64);
  }

  /// A float in [0, 1).
  constexpr float Uniform() { return UnitFloat(Next()); }

  /// A float between low and high; high itself only by rounding.
  constexpr float Uniform(float low, float high) { return low + (high - low) * Uniform(); }

 private:
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
};

}  // namespace longtail
