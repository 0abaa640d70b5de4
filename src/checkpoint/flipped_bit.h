// Finds the one bit whose change makes bytes fit their checksum again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace longtail::checkpoint {

struct FlippedBit {
  std::size_t byte = 0;
  int bit = 0;  ///< 0: the lowest.

  bool operator==(const FlippedBit&) const = default;
};

/// How many bytes a search may take the checksum of in all: about a second's work.
inline constexpr std::uint64_t kBitSearchBytesMax = std::uint64_t{8} << 30;

/// Tries each bit from the first one on until `work_max` bytes were summed. What it finds is put
/// back in `bytes`; else they are as they were. A chance fit has odds of 2^-64 a bit tried.
///
/// Cost: bytes.size() a bit tried, so that blobs of up to 32 KiB are searched whole, and of larger
///       ones their beginning: of 8 MiB the first 128 bytes.
std::optional<FlippedBit> PutFlippedBitBack(std::string& bytes, std::uint64_t checksum,
                                            std::uint64_t work_max = kBitSearchBytesMax);

}  // namespace longtail::checkpoint
