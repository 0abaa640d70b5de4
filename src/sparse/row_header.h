// What a row knows of itself beside its values, in fourteen bytes.
//
//   0        8              11             14
//   +--------+--------------+--------------+
//   | key    | count        | last step    |
//   | u64    | 24-bit code  | low 24 bits  |
//   +--------+--------------+--------------+
//
// Fourteen and not sixteen, because with two bytes more a row of a large table would cost more than
// the twenty that it may beside its values (docs/ENGINE.md). What that gives up:
//
//   count      exact up to 2^23 = 8,388,608; above that in units of 512, rounded at random so that
//              its expectation is exact (standard error below 0.8 %), up to 2^32 - 1.
//   last step  exact while it is less than 2^24 behind the newest step of its table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "longtail/ids.h"

namespace longtail::sparse {

inline constexpr std::size_t kRowHeaderBytes = 14;

/// Counts below this are exact.
inline constexpr std::uint32_t kExactCountEnd = std::uint32_t{1} << 23;
inline constexpr unsigned kCountUnitShift = 9;

/// The code of 2^32 - 1, where counts stay.
inline constexpr std::uint32_t kLastCountCode =
    kExactCountEnd + ((0xFFFFFFFF - kExactCountEnd) >> kCountUnitShift) + 1;

/// Steps that a last step may be behind the newest.
inline constexpr std::uint32_t kStepWindow = std::uint32_t{1} << 24;

/// The count that a 24-bit code stands for.
inline std::uint32_t CountOf(std::uint32_t code) {
  if (code < kExactCountEnd) return code;
  const std::uint64_t units = code - kExactCountEnd;
  const std::uint64_t count = kExactCountEnd + (units << kCountUnitShift);
  return count > 0xFFFFFFFF ? 0xFFFFFFFF : static_cast<std::uint32_t>(count);
}

/// The code of a count, of which `random` decides between the two neighbours of one that has none
/// of its own: the upper one as often as the count is nearer to it.
///
/// Source: Morris, "Counting Large Numbers of Events in Small Registers", CACM 21 (1978), here with
///         one unit for all counts above the exact ones.
inline std::uint32_t CountCode(std::uint32_t count, std::uint64_t random) {
  if (count < kExactCountEnd) return count;
  if (count == 0xFFFFFFFF) return kLastCountCode;
  constexpr std::uint32_t kUnit = std::uint32_t{1} << kCountUnitShift;
  const std::uint32_t excess = count - kExactCountEnd;
  const std::uint32_t rest = excess % kUnit;
  const std::uint32_t up = (random % kUnit) < rest ? 1 : 0;
  return kExactCountEnd + (excess >> kCountUnitShift) + up;
}

/// a + b, or 2^32 - 1 if that is too much.
inline std::uint32_t AddSaturating(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return sum < a ? 0xFFFFFFFF : sum;
}

/// The step that low 24 bits stand for, seen from the newest step.
inline std::uint32_t StepOf(std::uint32_t code, std::uint32_t newest) {
  return newest - ((newest - code) & (kStepWindow - 1));
}

/// The low 24 bits to keep of a step that is not newer than `newest`.
inline std::uint32_t StepCode(std::uint32_t step, std::uint32_t newest) {
  const std::uint32_t behind = newest - step;
  const std::uint32_t kept = behind < kStepWindow ? behind : kStepWindow - 1;
  return (newest - kept) & (kStepWindow - 1);
}

/// A header as its bytes lie in memory, at any address.
inline Key KeyAt(const std::byte* header) {
  Key key = 0;
  std::memcpy(&key, header, sizeof(key));
  return key;
}
inline void SetKey(std::byte* header, Key key) {
  std::memcpy(header, &key, sizeof(key));
}

/// Count and last step as codes.
struct RowTouch {
  std::uint32_t count_code = 0;
  std::uint32_t step_code = 0;
};
inline RowTouch TouchAt(const std::byte* header) {
  std::uint32_t low = 0;
  std::uint16_t high = 0;
  std::memcpy(&low, header + sizeof(Key), sizeof(low));
  std::memcpy(&high, header + sizeof(Key) + sizeof(low), sizeof(high));
  return {.count_code = low & 0xFFFFFF,
          .step_code = (low >> 24) | (static_cast<std::uint32_t>(high) << 8)};
}
inline void SetTouch(std::byte* header, RowTouch touch) {
  const std::uint32_t low = touch.count_code | (touch.step_code << 24);
  const auto high = static_cast<std::uint16_t>(touch.step_code >> 8);
  std::memcpy(header + sizeof(Key), &low, sizeof(low));
  std::memcpy(header + sizeof(Key) + sizeof(low), &high, sizeof(high));
}

}  // namespace longtail::sparse
