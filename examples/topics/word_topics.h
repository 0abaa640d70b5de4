// Where the counts of a topic model are: how many tokens of each word have each topic.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "longtail/count_rows.h"
#include "longtail/ids.h"

namespace longtail::examples {

/// Rows of words, few of whose columns (topics) are not zero, and the sums of all rows.
///
/// Thread: one owner; several objects may share the counts.
class WordTopics {
 public:
  virtual ~WordTopics() = default;

  /// Begins to fetch rows, in the order of words; keys and `rows` must live until FinishPull, and
  /// `rows` is good after it. One fetch at a time.
  virtual absl::Status StartPull(std::span<const Key> words, CountRows* rows) = 0;

  /// Waits for what StartPull began.
  ///
  /// Errors: those of Worker::PullCounts.
  virtual absl::Status FinishPull() = 0;

  /// Adds changes to rows, and those of the sums (one row) to the sums. Returns before they have
  /// arrived; a StartPull or PullSums that follows sees them.
  virtual absl::Status Push(std::span<const Key> words, const CountRows& changes,
                            const CountRows& sum_changes) = 0;

  /// Sets `sums` to how many tokens each topic has, [topics].
  virtual absl::Status PullSums(std::span<std::int64_t> sums) = 0;

  /// Waits until all that was pushed has arrived.
  virtual absl::Status Flush() = 0;
};

}  // namespace longtail::examples
