// Events of both logs as one stream in the order of time, read on from where it was left.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/event_merge.h"
#include "examples/online/kafka_log.h"
#include "examples/online/silence.h"

namespace longtail::examples {

/// Thread: one at a time.
class EventStream {
 public:
  /// `out` is told of what could not be read and of silence.
  ///
  /// Errors: those of KafkaReader::Open.
  static absl::StatusOr<std::unique_ptr<EventStream>> Open(const std::string& brokers,
                                                           const LogTopics& topics,
                                                           absl::Duration timeout,
                                                           std::ostream& out);

  /// Goes on where Save was called, instead of at the beginning; before the first Next. `of` names
  /// what the text was saved in.
  ///
  /// Errors: InvalidArgument (other topics, or another number of partitions).
  absl::Status Restore(std::string_view text, const std::string& of);

  /// The next event; none: nothing has come for a moment.
  ///
  /// Errors: those of KafkaReader::Read.
  absl::StatusOr<std::optional<Event>> Next();

  /// Where it is, behind the last event that Next gave: a line for each partition.
  std::string Save() const;

  /// Entries of logs that are no event, since the beginning of all.
  std::uint64_t unreadable() const {
    return unreadable_before_ + (merge_ ? merge_->unreadable() : 0);
  }

  /// For whom it waits, once that has lasted ten seconds; else empty.
  const std::string& waits() const { return silence_.sentence(); }

 private:
  EventStream(std::unique_ptr<KafkaReader> reader, std::ostream& out)
      : reader_(std::move(reader)),
        out_(out),
        silence_(out),
        begin_(reader_->partitions().size()) {}

  absl::Status Start();
  absl::Status Fill();
  std::string PartitionName(std::size_t i) const { return NameOf(reader_->partitions()[i]); }

  const std::unique_ptr<KafkaReader> reader_;
  std::ostream& out_;
  Silence silence_;
  std::vector<PartitionPosition> begin_;
  std::optional<EventMerge> merge_;      // From the first Next on.
  std::uint64_t unreadable_before_ = 0;  // Before this process began.
  std::uint64_t unreadable_said_ = 0;
};

}  // namespace longtail::examples
