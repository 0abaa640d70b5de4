// Random bits as a pure function of a counter: no state, no order of drawing.
#pragma once

#include <cstdint>
#include <string_view>

namespace longtail::examples {

/// Scrambles 64 bits; a bijection.
///
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
///         OOPSLA 2014; constants of Stafford's variant 13 as used in SplitMix64.
constexpr std::uint64_t ScrambledBits(std::uint64_t bits) {
  bits += 0x9E3779B97F4A7C15U;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
  return bits ^ (bits >> 31);
}

/// Folds a second number into a stream's key; the order of folding matters.
constexpr std::uint64_t StreamKey(std::uint64_t key, std::uint64_t part) {
  return ScrambledBits(key ^ ScrambledBits(part));
}

/// Turns a name into a number, the same on every machine.
///
/// Source: Fowler, Noll, Vo, FNV-1a, 64 bits.
constexpr std::uint64_t NameBits(std::string_view name) {
  std::uint64_t bits = 0xCBF29CE484222325U;
  for (const char c : name) {
    bits = (bits ^ static_cast<std::uint8_t>(c)) * 0x100000001B3U;
  }
  return bits;
}

/// The highest 24 bits as a float in [0, 1).
constexpr float UnitUniform(std::uint64_t bits) {
  return static_cast<float>(bits >> 40) * 0x1p-24F;
}

}  // namespace longtail::examples
