// The checksum of stored bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace longtail {

/// XXH3-64 with seed 0.
///
/// Source: Collet, xxHash specification, XXH3_64bits.
std::uint64_t Checksum(std::span<const std::byte> bytes);

/// XXH3-64 of two stretches of bytes as if they were one.
std::uint64_t Checksum(std::span<const std::byte> first, std::span<const std::byte> second);

/// Sixteen lower-case hexadecimal digits.
std::string ChecksumHex(std::uint64_t checksum);

}  // namespace longtail
