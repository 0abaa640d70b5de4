// Rows by how often their key was trained, in the buckets that the trainers' reports use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace longtail::cli {

/// Training counts from count_min to count_max, both included.
struct FrequencyBucket {
  const char* name;
  std::uint32_t count_min;
  std::uint32_t count_max;
};

inline constexpr std::array<FrequencyBucket, 6> kFrequencyBuckets{{
    {"0", 0, 0},
    {"1", 1, 1},
    {"2-4", 2, 4},
    {"5-9", 5, 9},
    {"10-99", 10, 99},
    {"100+", 100, std::numeric_limits<std::uint32_t>::max()},
}};

/// The index of the bucket that holds a count.
constexpr std::size_t BucketOf(std::uint32_t count) {
  std::size_t bucket = 0;
  while (kFrequencyBuckets[bucket].count_max < count) ++bucket;
  return bucket;
}

}  // namespace longtail::cli
