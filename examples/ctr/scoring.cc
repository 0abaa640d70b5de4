#include "examples/ctr/scoring.h"

#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "examples/common/nn/logistic_loss.h"
#include "examples/ctr/rarest_feature.h"

namespace longtail::examples {
namespace {

// Scores what the threshold makes of a batch, with the counts of what it was.
absl::Status ScoreWithThreshold(Trainer& trainer, const ScoringOptions& options, Batch& batch,
                                Trainer::Scores& scores) {
  std::vector<std::uint32_t> counts;
  options.threshold->CountsOf(batch, counts);
  std::vector<std::uint32_t> place(counts.size());  // Every key has a count of its own.
  std::iota(place.begin(), place.end(), 0U);
  options.threshold->Apply(batch);
  LONGTAIL_RETURN_IF_ERROR(trainer.Score(batch, options.frequency_field, scores));
  FindRarest(batch, place, counts, scores.rarest_counts);
  if (!options.frequency_field) return absl::OkStatus();
  FindRarestOfField(batch, *options.frequency_field, place, counts, scores.field_counts);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Evaluation> ScoreAll(Trainer& trainer, BatchPipeline& batches,
                                    const ScoringOptions& options) {
  Evaluator evaluator;
  Batch batch;
  Trainer::Scores scores;
  std::vector<float> probabilities;
  std::uint64_t example = 0;
  for (;;) {
    LONGTAIL_RETURN_IF_ERROR(batches.Next(batch));
    if (batch.size == 0) break;
    LONGTAIL_RETURN_IF_ERROR(options.threshold != nullptr
                                 ? ScoreWithThreshold(trainer, options, batch, scores)
                                 : trainer.Score(batch, options.frequency_field, scores));
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
