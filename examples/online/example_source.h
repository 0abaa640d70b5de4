// Where a trainer's examples come from: the same ones in the same order, every time they are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/online/joiner_report.h"
#include "examples/online/log_joiner.h"
#include "longtail/checkpoint.h"

namespace longtail::examples {

/// What comes next: examples, and behind them the time of events if it went on.
struct NextExamples {
  std::vector<Example> examples{};
  std::optional<std::int64_t> now_ms{};

  bool empty() const { return examples.empty() && !now_ms; }
};

/// Thread: one at a time.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;

  /// Adds to what a checkpoint will have where the source is: behind the last that Next gave.
  virtual void Save(TrainerState& state) const = 0;

  /// Goes on where Save was called, instead of at the beginning; before the first Next. `of`: the
  /// checkpoint, for errors.
  ///
  /// Errors: FailedPrecondition (it is of the other kind of source); DataLoss; InvalidArgument
  ///         (other topics or partitions than now).
  virtual absl::Status Restore(const TrainerState& state, const std::string& of) = 0;

  /// Waits a moment if there is nothing yet; then it is empty.
  ///
  /// Errors: those of KafkaReader::Read, and those of what the logs have.
  virtual absl::StatusOr<NextExamples> Next() = 0;

  /// For whom it waits, once that has lasted ten seconds; else empty.
  virtual const std::string& waits() const = 0;

  /// Of its joiner, if that is a part of it.
  virtual std::optional<JoinerReport> joiner_report() const = 0;

  /// Examples that came again since this process began, and were dropped.
  virtual std::uint64_t repeated() const = 0;
};

}  // namespace longtail::examples
