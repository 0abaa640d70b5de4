// Keys of one table made ready to travel: each once, grouped by partition, counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "longtail/ids.h"

namespace longtail {

/// The unique keys of a batch, used by its pull and again by its push. Filled by Worker::Prepare,
/// which reuses its memory once no call in flight needs it.
///
/// Thread: reading from any thread; filling from one.
class KeyBatch {
 public:
  struct Plan;

  KeyBatch() = default;

  TableId table() const;

  /// [unique_size] each key once, ordered by partition, within one by first occurrence.
  std::span<const Key> keys() const;

  /// [unique_size] how often each key occurred.
  std::span<const std::uint32_t> counts() const;

  /// [size] the place in keys() of every key that was given.
  std::span<const std::uint32_t> inverse() const;

  std::size_t unique_size() const { return keys().size(); }

 private:
  friend class KeyBatchPlanner;
  friend class WorkerAccess;
  std::shared_ptr<Plan> plan_;
};

}  // namespace longtail
