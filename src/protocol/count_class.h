// Training counts in classes, few enough to be sent around: each count up to 100 is one of its
// own, the others go by their power of two. Every bucket of kFrequencyBuckets is a whole number of
// classes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace longtail {

inline constexpr std::size_t kCountClasses = 127;
inline constexpr std::uint32_t kOwnCountClassEnd = 101;  ///< Counts below it have their own class.

/// The class of a count.
constexpr std::size_t CountClassOf(std::uint32_t count) {
  if (count < kOwnCountClassEnd) return count;
  // 101 to 127 have seven binary digits, 128 to 255 eight.
  return kOwnCountClassEnd + static_cast<std::size_t>(std::bit_width(count)) - 7;
}

/// The least count of a class, which stands for all in it where classes travel.
constexpr std::uint32_t CountClassMin(std::size_t count_class) {
  if (count_class <= kOwnCountClassEnd) return static_cast<std::uint32_t>(count_class);
  return std::uint32_t{1} << (count_class - kOwnCountClassEnd + 6);
}

}  // namespace longtail
