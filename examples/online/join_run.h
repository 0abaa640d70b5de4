// The joiner as a process of its own: reads impressions and clicks, and writes joined examples to a
// topic, from which a trainer takes each once (numbered_examples.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "examples/online/joiner_report.h"
#include "examples/online/kafka_log.h"
#include "examples/online/log_joiner.h"
#include "examples/online/numbered_examples.h"

namespace longtail::examples {

struct JoinRunOptions {
  std::string brokers;
  LogTopics topics{};  ///< Examples are written to topics.examples.
  LogJoinerOptions joiner{};
  /// Where the joiner's state goes: a store that nobody else uses.
  std::string store;
  /// A state after so many events: as many are read again after a crash.
  std::uint64_t state_every = 100'000;
  /// Ends once events are as late as this; 0: never by itself.
  std::int64_t until_ms = 0;
  /// HOST:PORT of pages; empty: none.
  std::string admin{};
  absl::Duration join_timeout = absl::Minutes(1);
  const std::atomic<bool>* stop = nullptr;  ///< Set: a last state, then the end.
};

struct JoinRunReport {
  JoinerReport joiner{};
  ExamplePlace sent{};  ///< Ticks count, too.
};

/// Goes on from the newest state of the store, if there is one: what it had sent behind that it
/// sends again, under the same numbers. Before a state is written the brokers have all that it
/// counts as sent. It writes one before it sends anything, and so takes the store over: a joiner
/// that still writes there ends with its next state.
///
/// Options of the joiner may only change behind an end in good order, which leaves nothing to be
/// sent again.
///
/// Errors: FailedPrecondition (another joiner; other options or another topic than the state's);
///         Unavailable (the brokers have not taken all for a minute); those of KafkaReader,
///         TopicWriter and checkpoints, each naming what it is about.
absl::StatusOr<JoinRunReport> RunJoin(const JoinRunOptions& options, std::ostream& out);

}  // namespace longtail::examples
