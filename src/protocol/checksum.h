// The checksum of stored bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace longtail {

/// XXH3-64 with seed 0.
///
/// Source: Collet, xxHash specification, XXH3_64bits.
std::uint64_t Checksum(std::span<const std::byte> bytes);

/// XXH3-64 of two stretches of bytes as if they were one.
std::uint64_t Checksum(std::span<const std::byte> first, std::span<const std::byte> second);

/// XXH3-64 of bytes that come piece by piece, as if they were one. Thread: one at a time.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(const RunningChecksum&) = delete;
  RunningChecksum& operator=(const RunningChecksum&) = delete;

  void Add(std::span<const std::byte> bytes);

  /// Of all that was added so far.
  std::uint64_t value() const;

 private:
  struct State;

  const std::unique_ptr<State> state_;
};

/// Sixteen lower-case hexadecimal digits.
std::string ChecksumHex(std::uint64_t checksum);

}  // namespace longtail
