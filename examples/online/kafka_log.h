// Logs in Kafka: topics of events and of joined examples, read from where one says, and written.
//
// Offsets are the reader's own to keep: nothing is committed to the broker, so that what was read
// and what came of it are saved together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/event.h"

namespace longtail::examples {

struct LogTopics {
  std::string impressions = "impressions";
  std::string clicks = "clicks";
  std::string examples = "examples";  ///< Of a joiner that is a process of its own.
};

/// A partition of a topic.
struct LogPartition {
  EventKind kind = EventKind::kImpression;  ///< Of a topic of events.
  std::string topic;
  std::int32_t number = 0;
};

/// "topic 'clicks', partition 1".
std::string NameOf(const LogPartition& partition);

/// What lies at one offset.
struct LogEntry {
  std::int64_t offset = 0;
  std::int64_t written_ms = 0;
  std::string key;
  std::string value;
};

/// Thread: one at a time.
class KafkaReader {
 public:
  /// Asks the brokers ("HOST:PORT,HOST:PORT") which partitions the topics have.
  ///
  /// Errors: Unavailable naming the brokers and what they answered or did not; NotFound (a topic);
  ///         InvalidArgument.
  static absl::StatusOr<std::unique_ptr<KafkaReader>> Open(const std::string& brokers,
                                                           const LogTopics& topics,
                                                           absl::Duration timeout);

  /// The same of one topic, that of examples.
  static absl::StatusOr<std::unique_ptr<KafkaReader>> OpenExamples(const std::string& brokers,
                                                                   const std::string& topic,
                                                                   absl::Duration timeout);

  virtual ~KafkaReader() = default;

  /// Those of impressions, then those of clicks, by number; or those of examples.
  virtual const std::vector<LogPartition>& partitions() const = 0;

  /// Begins to read, each partition at an offset. To be called once.
  virtual absl::Status Start(const std::vector<std::int64_t>& offsets) = 0;

  /// Appends what has come of a partition, at most 1,000 entries; waits for the first at most so
  /// long.
  ///
  /// Errors: DataLoss (the log has no such offset any more, or not yet: what is read would not be
  ///         what was saved), naming topic, partition and offset. Brokers that are away are no
  ///         error: see problem().
  virtual absl::Status Read(std::size_t partition, absl::Duration wait,
                            std::vector<LogEntry>& entries) = 0;

  /// What the brokers' connection last complained of; empty if they answer.
  virtual std::string problem() const = 0;
};

/// Thread: one at a time.
class KafkaWriter {
 public:
  /// Errors: as KafkaReader::Open's.
  static absl::StatusOr<std::unique_ptr<KafkaWriter>> Open(const std::string& brokers,
                                                           const LogTopics& topics,
                                                           absl::Duration timeout);

  virtual ~KafkaWriter() = default;

  /// Writes an event to its topic; those of one id go to partitions of one number, ticks to all of
  /// both topics. What was written is there once and in order, unless the process ends before
  /// Flush.
  ///
  /// Errors: Unavailable (no room in the queue for a minute; something written earlier was given
  ///         up).
  virtual absl::Status Write(const Event& event) = 0;

  /// Waits until all is there.
  ///
  /// Errors: DeadlineExceeded, saying how much is not; Unavailable (something was given up).
  virtual absl::Status Flush(absl::Duration timeout) = 0;
};

/// Writes messages into the partitions of one topic, each in the order of its writes, without a
/// gap: what comes behind a message that the brokers do not take is not there either.
///
/// Thread: one at a time.
class TopicWriter {
 public:
  /// Errors: as KafkaReader::Open's.
  static absl::StatusOr<std::unique_ptr<TopicWriter>> Open(const std::string& brokers,
                                                           const std::string& topic,
                                                           absl::Duration timeout);

  virtual ~TopicWriter() = default;

  virtual std::int32_t partition_count() const = 0;

  /// Errors: as KafkaWriter's.
  virtual absl::Status Write(std::int32_t partition, const std::string& value) = 0;

  /// Errors: as KafkaWriter's.
  virtual absl::Status Flush(absl::Duration timeout) = 0;
};

/// librdkafka's own broker of its tests, in this process: for trying things out on one machine, in
/// memory alone. It is no Kafka.
class TrialBroker {
 public:
  static absl::StatusOr<std::unique_ptr<TrialBroker>> Start(const LogTopics& topics,
                                                            std::int32_t partitions);
  virtual ~TrialBroker() = default;
  virtual const std::string& address() const = 0;
};

}  // namespace longtail::examples
