// What is counted: what a table holds and has done, for one partition of it or for the sum of many;
// how old the rows were that a worker pulled, and what it sent and received.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "longtail/ids.h"
#include "longtail/table_spec.h"

namespace longtail {

/// Keys of TableStatistics::hot_keys, at most.
inline constexpr std::size_t kHotKeysMax = 64;

/// Training counts from count_min to count_max, both included.
struct FrequencyBucket {
  const char* name;
  std::uint32_t count_min;
  std::uint32_t count_max;
};

/// The buckets of every report by frequency.
inline constexpr std::array<FrequencyBucket, 6> kFrequencyBuckets{{
    {"0", 0, 0},
    {"1", 1, 1},
    {"2-4", 2, 4},
    {"5-9", 5, 9},
    {"10-99", 10, 99},
    {"100+", 100, std::numeric_limits<std::uint32_t>::max()},
}};

/// The index of the bucket that holds each count from 0 to the last bucket's first.
inline constexpr auto kBucketOfCount = [] {
  std::array<std::uint8_t, kFrequencyBuckets.back().count_min + 1> buckets{};
  for (const FrequencyBucket& bucket : kFrequencyBuckets) {
    if (bucket.count_min == 0) continue;
    for (std::size_t i = bucket.count_min; i < buckets.size(); ++i) ++buckets[i];
  }
  return buckets;
}();

/// The index of the bucket that holds a count.
constexpr std::size_t BucketOf(std::uint32_t count) {
  return kBucketOfCount[std::min<std::size_t>(count, kBucketOfCount.size() - 1)];
}

/// How often a key was used: pulls of it and occurrences pushed, in one number.
struct HotKeyCount {
  Key key = 0;
  std::uint64_t count = 0;  ///< At least what it was used, of the uses looked at, and
  std::uint64_t error = 0;  ///< at most so much more than that.

  bool operator==(const HotKeyCount&) const = default;
};

struct TableStatistics {
  std::uint64_t rows = 0;
  std::uint64_t weight_bytes = 0;  ///< Weights of the rows there are; of counts, the rows.
  std::uint64_t state_bytes = 0;   ///< Their optimizer state.
  std::uint64_t header_bytes = 0;  ///< Their keys, counts and last steps.
  std::uint64_t index_bytes = 0;   ///< The index from keys to rows.
  std::uint64_t free_bytes = 0;    ///< Reserved and unused: padding, erased and future rows.
  std::uint64_t tail_rows = 0;     ///< Of the rows, those kept in the tail's format.

  std::uint64_t pulls = 0;               ///< Keys pulled, found or not.
  std::uint64_t pushes = 0;              ///< Keys pushed, refused ones included.
  std::uint64_t rows_created = 0;        ///< Rows that a push created.
  std::uint64_t non_finite_refused = 0;  ///< Keys pushed with a gradient that was not finite, or
                                         ///< that would have; of counts: beyond 64 bits.
  std::uint64_t full_refused = 0;        ///< New keys pushed to a partition without room: in its
                                         ///< budget, or for more than 2^26 - 1 rows.
  std::uint64_t shared_pushes = 0;       ///< Keys pushed below admission: a back-off row moved.
  std::uint64_t rows_promoted = 0;       ///< Rows that left the tail's format for the table's.
  std::uint64_t evicted_idle = 0;        ///< Rows evicted, each by the first reason that held: not
                                         ///< pushed for EvictionSpec::idle_steps,
  std::uint64_t evicted_score = 0;       ///< a score below min_score,
  std::uint64_t evicted_norm = 0;        ///< weights shorter than min_norm,
  std::uint64_t evicted_budget = 0;      ///< the lowest score among neighbours, for a new row.

  /// Pulled keys by the training count that their row had then, in kFrequencyBuckets. Keys without
  /// a row are in the first; of counts all others are in the last. Exact; the sum is `pulls`.
  std::array<std::uint64_t, kFrequencyBuckets.size()> pulls_by_bucket{};

  /// How many different keys were pulled, pushed with a finite gradient, or restored, those without
  /// a row and those evicted included: about so many. The standard error is 2.3 % in one partition,
  /// less in the sum of several, whose keys differ.
  std::uint64_t distinct_keys = 0;

  /// The keys used most since the cluster was started or restored, at most kHotKeysMax, by falling
  /// count, of equal counts the lower key first. Estimated from one use in 64, multiplied: a key
  /// used n times has a standard error of about 8 sqrt(n) beside the bound that it names.
  std::vector<HotKeyCount> hot_keys{};

  /// How many rows were trained how often, (count, rows), ascending by count, no zero rows: the
  /// exact rank-frequency distribution of the rows. Of counts: a row's sum, 0 … 2^32 - 1.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows_by_count{};

  /// A hash of all that the rows hold. Independent of their order and of how the keys are divided
  /// into partitions.
  std::uint64_t hash = 0;

  /// All bytes above.
  std::uint64_t bytes() const {
    return weight_bytes + state_bytes + header_bytes + index_bytes + free_bytes;
  }

  /// Adds what another partition of the same table holds and has done. No key is in both.
  TableStatistics& operator+=(const TableStatistics& other);

  bool operator==(const TableStatistics&) const = default;
};

struct WorkerStatistics {
  static constexpr std::size_t kStalenessBuckets = 32;

  /// Pulls answered, by staleness: how many steps before the one the rows are used in
  /// (CallOptions::steps_ahead) may have updates that the rows lack, those from the row cache
  /// included. The last bucket counts all that are in none of the others. Nothing is counted in
  /// asynchronous mode, where nobody tells that a step ended.
  std::array<std::uint64_t, kStalenessBuckets> pulls_by_staleness{};

  // Of the messages to and from servers in other processes, as often as they were sent.
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t key_bytes_sent = 0;    ///< Of those sent: keys, or what stands for lists of them,
  std::uint64_t value_bytes_sent = 0;  ///< and gradients.
  std::uint64_t value_bytes_received = 0;  ///< Of those received: rows.

  std::uint64_t key_lists_named = 0;   ///< Lists of keys sent as their digests.
  std::uint64_t key_lists_wanted = 0;  ///< Requests that a lane wanted once more, with all keys.
  std::uint64_t feedback_dropped = 0;  ///< Keys for which what rounding took of their gradients is
                                       ///< lost; see WorkerOptions::wire_feedback_bytes_max.

  // Now, not since the worker connected.
  std::uint64_t unanswered_requests = 0;   ///< Requests that lanes have not answered.
  std::uint64_t unacknowledged_bytes = 0;  ///< Keys, counts and gradients of pushes among them.

  // Of the row cache, see WorkerOptions::row_cache_bytes; zeros without one.
  std::uint64_t cache_rows_served = 0;   ///< Rows that pulls got from it,
  std::uint64_t cache_rows_missed = 0;   ///< and rows that the same pulls had to ask servers for.
  std::uint64_t cache_rows_evicted = 0;  ///< Rows put out of it by others.
  std::uint64_t cache_bytes = 0;         ///< Memory that it uses now.

  WorkerStatistics& operator+=(const WorkerStatistics& other) {
    for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
      pulls_by_staleness[i] += other.pulls_by_staleness[i];
    }
    bytes_sent += other.bytes_sent;
    bytes_received += other.bytes_received;
    key_bytes_sent += other.key_bytes_sent;
    value_bytes_sent += other.value_bytes_sent;
    value_bytes_received += other.value_bytes_received;
    key_lists_named += other.key_lists_named;
    key_lists_wanted += other.key_lists_wanted;
    feedback_dropped += other.feedback_dropped;
    unanswered_requests += other.unanswered_requests;
    unacknowledged_bytes += other.unacknowledged_bytes;
    cache_rows_served += other.cache_rows_served;
    cache_rows_missed += other.cache_rows_missed;
    cache_rows_evicted += other.cache_rows_evicted;
    cache_bytes += other.cache_bytes;
    return *this;
  }

  bool operator==(const WorkerStatistics&) const = default;
};

/// A table and its statistics.
struct TableReport {
  TableSpec spec;
  TableStatistics statistics;

  bool operator==(const TableReport&) const = default;
};

}  // namespace longtail
