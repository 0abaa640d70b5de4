// The buckets of "how often was this feature seen in training": the one table of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace longtail::examples {

/// A range of training counts. The values are indices into kCountBuckets.
enum class CountBucket : std::uint8_t { kNever, kOnce, k2To4, k5To9, k10To99, k100Up };

/// The bounds and the name of one bucket.
struct CountBucketRange {
  std::uint64_t first = 0;  ///< The smallest count in it.
  std::uint64_t last = 0;   ///< The largest count in it.
  std::string_view name;    ///< What tables and charts call it.
};

/// All buckets, in the order of their counts; together they cover every count.
inline constexpr std::array<CountBucketRange, 6> kCountBuckets{{
    {.first = 0, .last = 0, .name = "0"},
    {.first = 1, .last = 1, .name = "1"},
    {.first = 2, .last = 4, .name = "2-4"},
    {.first = 5, .last = 9, .name = "5-9"},
    {.first = 10, .last = 99, .name = "10-99"},
    {.first = 100, .last = std::numeric_limits<std::uint64_t>::max(), .name = "100+"},
}};

inline constexpr std::size_t kCountBucketCount = kCountBuckets.size();

/// Returns the bucket that holds `count`.
[[nodiscard]] CountBucket BucketOf(std::uint64_t count);

/// Returns the bucket's place in kCountBuckets and in every array of kCountBucketCount.
[[nodiscard]] constexpr std::size_t IndexOf(CountBucket bucket) {
  return static_cast<std::size_t>(bucket);
}

}  // namespace longtail::examples
