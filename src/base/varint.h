// Whole numbers in as few bytes as they need: seven bits a byte, the lowest first, the highest bit
// of a byte set if another one follows.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace longtail {

/// Bytes of the longest one, and of a given one.
inline constexpr std::size_t kVarintBytesMax = 10;
constexpr std::size_t VarintBytes(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline void AppendVarint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// Takes a varint from the front of `bytes`.
///
/// Returns: false, with `bytes` as they were, if it is cut short, longer than it needs to be, or
///          more than `value_max`.
[[nodiscard]] inline bool TakeVarint(std::span<const std::byte>& bytes, std::uint64_t value_max,
                                     std::uint64_t& value) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size() && i < kVarintBytesMax; ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    const std::uint64_t bits = byte & 0x7F;
    if (i + 1 == kVarintBytesMax && bits > 1) return false;  // Beyond 64 bits.
    sum |= bits << (7 * i);
    if (byte >= 0x80) continue;
    if ((byte == 0 && i > 0) || sum > value_max) return false;
    bytes = bytes.subspan(i + 1);
    value = sum;
    return true;
  }
  return false;
}

/// Differences of either sign as numbers that are small if the difference is: 0, -1, 1, -2, 2 …
/// become 0, 1, 2, 3, 4 …. Keys wrap around, so there is one for any two of them.
constexpr std::uint64_t ZigZag(std::uint64_t difference) {
  return difference << 1 ^ (0 - (difference >> 63));
}
constexpr std::uint64_t UnZigZag(std::uint64_t value) {
  return value >> 1 ^ (0 - (value & 1));
}

}  // namespace longtail
