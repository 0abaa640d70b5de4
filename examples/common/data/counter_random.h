// Random numbers as a function of a stream and a counter: no state, any order, any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace longtail::examples {

/// A bijection of 64 bits in which every bit of the result depends on every bit of `x`.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014
/// (SplitMix64), with the constants of Stafford's variant 13.
constexpr std::uint64_t MixBits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// The number of `counter` in `stream`.
constexpr std::uint64_t RandomBits(std::uint64_t stream, std::uint64_t counter) {
  return MixBits(stream + (counter + 1) * 0x9E3779B97F4A7C15U);
}

/// A stream of its own for each pair of numbers.
constexpr std::uint64_t RandomStream(std::uint64_t seed, std::uint64_t number) {
  return MixBits(MixBits(seed + 0x9E3779B97F4A7C15U) ^ (number * 0xD1342543DE82EF95U + 1));
}

/// `bits` as a number in (0, 1), with 53 bits.
constexpr double UnitOf(std::uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

/// `bits` as a number in [0, count). The bias is below count / 2^64.
///
/// Source: Lemire, "Fast Random Integer Generation in an Interval", TOMACS 2019, without rejection.
constexpr std::size_t BelowOf(std::uint64_t bits, std::size_t count) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(bits) * count) >> 64);
}

}  // namespace longtail::examples
