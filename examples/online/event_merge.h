// Several logs as one, in the order of time: the same order every time they are read.
//
// What is joined must not depend on which partition answered first, or a training could not be done
// again. So an event is given out once every partition has shown that it has no earlier one; who
// writes to the logs says the time (a tick) in each partition now and then, for a silent one holds
// all others up. Within a partition the order is the log's: an event that is earlier than one
// before it is taken as of that one's time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "examples/online/event.h"

namespace longtail::examples {

/// How far a partition was read.
struct PartitionPosition {
  std::int64_t next = 0;   ///< The offset of what comes next.
  std::int64_t at_ms = 0;  ///< The latest time up to there.

  bool operator==(const PartitionPosition&) const = default;
};

/// Thread: one at a time.
class EventMerge {
 public:
  explicit EventMerge(std::vector<PartitionPosition> from)
      : positions_(std::move(from)), queues_(positions_.size()) {}

  /// Adds what a partition has at that offset, which must be behind those it was given before;
  /// none: what could not be read, of which only the place is known.
  void Put(std::size_t partition, std::int64_t offset, std::optional<Event> event);

  /// The next one, its time not before that of the last; none while a partition has nothing here
  /// (WaitsFor). Equal times: the lower partition first.
  std::optional<Event> Next();

  /// The first partition without which there is no next one.
  std::optional<std::size_t> WaitsFor() const;

  /// Behind the last that Next gave: where reading goes on after a restart.
  const std::vector<PartitionPosition>& positions() const { return positions_; }

  std::size_t waiting(std::size_t partition) const { return queues_[partition].size(); }

  /// Events that were earlier than one before them in their partition.
  std::uint64_t out_of_order() const { return out_of_order_; }
  /// Places passed of what could not be read.
  std::uint64_t unreadable() const { return unreadable_; }

 private:
  struct Entry {
    std::int64_t offset = 0;
    std::optional<Event> event;
  };

  // Passes what could not be read at a queue's front.
  void Skip(std::size_t partition);

  std::vector<PartitionPosition> positions_;
  std::vector<std::deque<Entry>> queues_;
  std::uint64_t out_of_order_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace longtail::examples
