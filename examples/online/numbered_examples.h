// Joined examples with numbers, as they travel from a joiner to a trainer: each is learned once,
// however often it was sent.
//
// A joiner numbers what it sends: 0, 1, 2, … over all partitions, number n in partition n modulo
// their count. What it sends follows from its logs alone, so one that goes on from an older state
// sends the same again under the same numbers. In a partition, then, every number that comes for
// the first time follows the one before it: each joiner begins at a number whose predecessors the
// brokers have, and writes without a gap. So who takes each number once has every example once and
// in order, whatever repeats lie between and however many joiners wrote them.
//
// That holds while all of them say the same under the same number. A digest of all that was sent up
// to there travels with each, so one that does not follow from what was taken is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/online/log_joiner.h"

namespace longtail::examples {

/// Up to where a stream was numbered, or taken.
struct ExamplePlace {
  std::uint64_t next = 0;    ///< The number of what comes next.
  std::uint64_t digest = 0;  ///< Of all before it.

  bool operator==(const ExamplePlace&) const = default;
};

/// An example, or a tick: the time, and nothing else.
struct NumberedExample {
  std::uint64_t number = 0;
  std::uint64_t digest = 0;          ///< Of all up to here, this one too.
  std::int64_t now_ms = 0;           ///< Of a tick: no later example was joined before it.
  std::optional<Example> example{};  ///< None: a tick.

  bool operator==(const NumberedExample&) const = default;
};

/// Gives it the place's number and digest, and moves the place behind it.
NumberedExample NumberExample(ExamplePlace& place, Example example);
NumberedExample NumberTick(ExamplePlace& place, std::int64_t now_ms);

/// The value of a message: number, digest, when its event was written, then the example's line or
/// the tick's time, with tabs between.
std::string EncodeNumbered(const NumberedExample& one);

/// Errors: InvalidArgument.
absl::StatusOr<NumberedExample> DecodeNumbered(std::string_view value);

/// Takes what lies in the partitions, each from its own offset on, and gives it out in the order of
/// numbers, each once.
///
/// Thread: one at a time.
class ExampleOrder {
 public:
  /// `place`: what is given out first; `offsets`: from where each partition is read.
  ExampleOrder(const ExamplePlace& place, std::vector<std::int64_t> offsets);

  /// Adds what a partition has at that offset. What was there already is counted and dropped.
  ///
  /// Errors: DataLoss naming the number that is left out; InvalidArgument (a number of another
  ///         partition: the topic had another count of them).
  absl::Status Put(std::size_t partition, std::int64_t offset, NumberedExample one);

  /// The one that is next; none while it is not here.
  ///
  /// Errors: FailedPrecondition: it is not what follows from those before it.
  absl::StatusOr<std::optional<NumberedExample>> Next();

  /// The partition in which the next one lies.
  std::size_t WaitsFor() const { return static_cast<std::size_t>(place_.next % queues_.size()); }
  std::size_t waiting(std::size_t partition) const { return queues_[partition].size(); }

  const ExamplePlace& place() const { return place_; }
  /// From where each partition is to be read, to go on behind the last that Next gave.
  const std::vector<std::int64_t>& offsets() const { return offsets_; }
  /// Messages that were dropped, since their numbers had come before.
  std::uint64_t repeated() const { return repeated_; }

 private:
  struct Entry {
    std::int64_t offset = 0;
    NumberedExample one;
  };

  ExamplePlace place_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::uint64_t> wanted_;  // The number that comes next in each partition.
  std::vector<std::deque<Entry>> queues_;
  std::uint64_t repeated_ = 0;
};

}  // namespace longtail::examples
