// The stream from logs to a model: read, joined here or by another process, scored, trained, saved
// together.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/joiner_report.h"
#include "examples/online/kafka_log.h"
#include "examples/online/log_joiner.h"
#include "examples/online/online_trainer.h"

namespace longtail::examples {

struct OnlineRunOptions {
  std::string brokers;
  LogTopics topics{};
  /// Whether a process of its own joins (RunJoin), and examples are read from topics.examples.
  bool reads_examples = false;
  /// Of the joiner, here or there: behind its window an hour's scores are said.
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
  std::optional<JoinerReport> joiner{};  ///< If it joins here.
  std::uint64_t repeated = 0;            ///< Examples that came again and were dropped.
};

/// Goes on from the newest checkpoint of the store, if there is one: rows, joined events that wait,
/// and places in the logs, or in the topic of examples, are those of one moment, so every example
/// is learned once, whatever ended the process before.
///
/// Errors: those of Cluster, KafkaReader and checkpoints, each naming what it is about.
absl::StatusOr<OnlineRunReport> RunOnline(const OnlineRunOptions& options, std::ostream& out);

}  // namespace longtail::examples
