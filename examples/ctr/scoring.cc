#include "examples/ctr/scoring.h"

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/common/nn/logistic_loss.h"

namespace longtail::examples {
absl::StatusOr<Evaluation> ScoreAll(CtrTrainer& trainer, BatchPipeline& batches,
                                    const ScoringOptions& options) {
  Evaluator evaluator;
  Batch batch;
  CtrTrainer::Scores scores;
  std::vector<float> probabilities;
  std::uint64_t example = 0;
  for (;;) {
    LONGTAIL_RETURN_IF_ERROR(batches.Next(batch));
    if (batch.size == 0) break;
    LONGTAIL_RETURN_IF_ERROR(trainer.Score(batch, options.frequency_field, scores));
    probabilities.clear();
    for (const float logit : scores.logits) probabilities.push_back(Sigmoid(logit));
    LONGTAIL_RETURN_IF_ERROR(evaluator.Add({.labels = batch.labels,
                                            .probabilities = probabilities,
                                            .rarest_counts = scores.rarest_counts,
                                            .field_counts = scores.field_counts,
                                            .groups = batch.groups}));
    if (options.predictions == nullptr) continue;
    for (std::size_t i = 0; i < batch.size; ++i) {
      *options.predictions << absl::StrFormat("%d,%d,%.6g\n", example++,
                                              static_cast<int>(batch.labels[i]), probabilities[i]);
    }
    if (!*options.predictions) {
      return absl::UnavailableError("predictions cannot be written; is the disk full?");
    }
  }
  return evaluator.Evaluate();
}

}  // namespace longtail::examples
