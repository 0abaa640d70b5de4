// Examples that are joined here, in the trainer's process: its checkpoints have the joiner, too.
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "examples/online/event_stream.h"
#include "examples/online/example_source.h"
#include "examples/online/kafka_log.h"
#include "examples/online/log_joiner.h"

namespace longtail::examples {

class JoinedEvents final : public ExampleSource {
 public:
  /// Errors: those of KafkaReader::Open.
  static absl::StatusOr<std::unique_ptr<JoinedEvents>> Open(const std::string& brokers,
                                                            const LogTopics& topics,
                                                            const LogJoinerOptions& joiner,
                                                            absl::Duration timeout,
                                                            std::ostream& out);

  void Save(TrainerState& state) const override;
  absl::Status Restore(const TrainerState& state, const std::string& of) override;
  absl::StatusOr<NextExamples> Next() override;
  const std::string& waits() const override { return events_->waits(); }
  std::optional<JoinerReport> joiner_report() const override;
  std::uint64_t repeated() const override { return 0; }

 private:
  JoinedEvents(std::unique_ptr<EventStream> events, const LogJoinerOptions& joiner)
      : events_(std::move(events)), options_(joiner), joiner_(joiner) {}

  const std::unique_ptr<EventStream> events_;
  const LogJoinerOptions options_;
  LogJoiner joiner_;
};

}  // namespace longtail::examples
