// Examples that a joiner of its own has written to a topic: each given out once, in the joiner's
// order, however often the joiner or the trainer began anew.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "examples/online/example_source.h"
#include "examples/online/kafka_log.h"
#include "examples/online/numbered_examples.h"
#include "examples/online/silence.h"

namespace longtail::examples {

class ExampleTopic final : public ExampleSource {
 public:
  /// Errors: those of KafkaReader::OpenExamples.
  static absl::StatusOr<std::unique_ptr<ExampleTopic>> Open(const std::string& brokers,
                                                            const std::string& topic,
                                                            absl::Duration timeout,
                                                            std::ostream& out);

  void Save(TrainerState& state) const override;
  absl::Status Restore(const TrainerState& state, const std::string& of) override;
  absl::StatusOr<NextExamples> Next() override;
  const std::string& waits() const override { return silence_.sentence(); }
  std::optional<JoinerReport> joiner_report() const override { return std::nullopt; }
  std::uint64_t repeated() const override { return order_.repeated(); }

 private:
  ExampleTopic(std::unique_ptr<KafkaReader> reader, std::ostream& out)
      : reader_(std::move(reader)),
        out_(out),
        silence_(out),
        order_({}, std::vector<std::int64_t>(reader_->partitions().size(), 0)) {}

  absl::Status Fill();
  absl::Status Put(std::size_t partition, const LogEntry& entry);
  std::string PartitionName(std::size_t i) const { return NameOf(reader_->partitions()[i]); }

  const std::unique_ptr<KafkaReader> reader_;
  std::ostream& out_;
  Silence silence_;
  ExampleOrder order_;
  bool has_started_ = false;
  std::uint64_t unreadable_said_ = 0;
};

}  // namespace longtail::examples
