// One thing that is wrong with a checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace longtail::checkpoint {

/// Bytes of an object, `end` not among them.
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const ByteRange&) const = default;
};

struct Damage {
  std::string object;                        ///< Its name in the store.
  std::optional<std::uint32_t> partition{};  ///< None: it is of no partition.
  /// Whose rows the object holds. If it cannot be read: those it may hold, by the chunks beside it.
  std::vector<std::string> tables{};
  /// Where the damage is. Exact if the object is cut short, and for one flipped bit as far as
  /// PutFlippedBitBack finds it; else all that the checksum covers.
  std::optional<ByteRange> bytes{};
  std::optional<int> bit{};  ///< The one that is flipped, of the byte above.
  std::string problem{};     ///< A sentence.
};

}  // namespace longtail::checkpoint
