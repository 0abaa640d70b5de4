// Scores a stream of examples and measures the scores.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>

#include "absl/status/statusor.h"
#include "examples/common/data/batch_pipeline.h"
#include "examples/common/metrics/evaluator.h"
#include "examples/ctr/count_threshold.h"
#include "examples/ctr/trainer.h"

namespace longtail::examples {

struct ScoringOptions {
  std::optional<std::uint32_t> frequency_field{};
  /// Where to write "example,label,probability" lines; null: nowhere.
  std::ostream* predictions = nullptr;
  /// Of the training, if it had one. Counts are then those it took, of the features as they were.
  const CountThreshold* threshold = nullptr;
};

/// Scores all that `batches` gives.
///
/// Errors: those of the data, of the pulls; Unavailable if predictions cannot be written.
absl::StatusOr<Evaluation> ScoreAll(Trainer& trainer, BatchPipeline& batches,
                                    const ScoringOptions& options);

}  // namespace longtail::examples
