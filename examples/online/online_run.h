// The stream from logs to a model: read, joined, scored, trained, saved together.
#pragma once

#include <atomic>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/kafka_log.h"
#include "examples/online/log_joiner.h"
#include "examples/online/online_trainer.h"

namespace longtail::examples {

struct OnlineRunOptions {
  std::string brokers;
  LogTopics topics{};
  LogJoinerOptions joiner{};
  OnlineTrainerOptions trainer{};
  /// A coordinator's address or the file with it; empty: a cluster within this process.
  std::string cluster{};
  /// Where checkpoints go: the store that the servers name, too.
  std::string store;
  /// A checkpoint after so many batches.
  std::uint64_t checkpoint_every = 500;
  /// Ends once events are as late as this; 0: never by itself.
  std::int64_t until_ms = 0;
  /// HOST:PORT of pages; empty: none.
  std::string admin{};
  absl::Duration join_timeout = absl::Minutes(1);
  const std::atomic<bool>* stop = nullptr;  ///< Set: a last checkpoint, then the end.
};

struct OnlineRunReport {
  std::uint64_t examples = 0;
  std::uint64_t examples_hash = 0;
  std::uint64_t steps = 0;
  LogJoinerCounts counts{};
  std::uint64_t unreadable = 0;
};

/// Goes on from the newest checkpoint of the store, if there is one: rows, joined events that wait,
/// and places in the logs are those of one moment, so every example is learned once, whatever ended
/// the process before.
///
/// Errors: those of Cluster, KafkaReader and checkpoints, each naming what it is about.
absl::StatusOr<OnlineRunReport> RunOnline(const OnlineRunOptions& options, std::ostream& out);

}  // namespace longtail::examples
