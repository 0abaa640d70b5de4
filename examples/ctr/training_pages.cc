#include "examples/ctr/training_pages.h"

#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "examples/common/metrics/count_bucket.h"

namespace longtail::examples {

absl::StatusOr<std::unique_ptr<TrainingPages>> TrainingPages::Show(const std::string& listen) {
  auto made = std::unique_ptr<TrainingPages>(new TrainingPages());
  TrainingPages* const self = made.get();
  LONGTAIL_ASSIGN_OR_RETURN(
      made->pages_, Pages::Show({.listen = listen,
                                 .figures = [self](Figures& figures) { self->AddFigures(figures); },
                                 .standing_still = nullptr,
                                 .why_not_ready = [self]() -> std::vector<std::string> {
                                   const MutexLock lock(&self->mutex_);
                                   if (self->stage_.empty()) return {};
                                   return {self->stage_};
                                 }}));
  return made;
}

void TrainingPages::NoteStage(std::string stage) {
  const MutexLock lock(&mutex_);
  stage_ = std::move(stage);
}

void TrainingPages::NoteProgress(const Progress& progress) {
  const MutexLock lock(&mutex_);
  progress_ = progress;
}

void TrainingPages::NoteEvaluation(const std::string& split, const Evaluation& evaluation) {
  const MutexLock lock(&mutex_);
  split_ = split;
  evaluation_ = evaluation;
}

void TrainingPages::AddFigures(Figures& figures) const {
  const MutexLock lock(&mutex_);
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  figures.Counter("longtail_trainer_samples_total", "Examples that this process trained on.",
                  number(progress_.samples));
  figures.Counter("longtail_trainer_steps_total", "Steps of this process.",
                  number(progress_.steps));
  figures.Counter("longtail_trainer_pulled_rows_total", "Rows pulled to train on.",
                  number(progress_.rows_pulled));
  figures.Gauge("longtail_trainer_step", "Step that the training is at.", number(progress_.step));
  figures.Gauge("longtail_trainer_epoch", "Pass over the data that it is in, from 0.",
                number(progress_.epoch));
  if (progress_.loss) {
    figures.Gauge("longtail_trainer_loss",
                  "Mean log loss of the latest examples, each before it was trained on.",
                  *progress_.loss);
  }
  if (progress_.auc) {
    figures.Gauge("longtail_trainer_auc", "AUC of the same examples, about.", *progress_.auc);
  }
  if (evaluation_.overall.auc) {
    figures.Gauge("longtail_trainer_evaluation_auc", "AUC of the last evaluation, by split.",
                  *evaluation_.overall.auc, {{"split", split_}});
  }
  if (evaluation_.overall.logloss) {
    figures.Gauge("longtail_trainer_evaluation_loss", "Log loss of the last evaluation, by split.",
                  *evaluation_.overall.logloss, {{"split", split_}});
  }
  if (evaluation_.by_rarest) {
    const auto& buckets = evaluation_.by_rarest->buckets;
    const std::string split = split_;
    const auto each = [&](std::string_view name, std::string_view help, auto value_of) {
      for (std::size_t i = 0; i < kCountBucketCount; ++i) {
        const std::optional<double> value = value_of(buckets[i]);
        if (!value) continue;
        figures.Gauge(name, help, *value, {{"split", split}, {"bucket", kCountBuckets[i].name}});
      }
    };
    each("longtail_trainer_bucket_examples",
         "Examples of the last evaluation, by how often their rarest feature was trained.",
         [&](const ClassificationMetrics& m) { return std::optional(number(m.example_count)); });
    each("longtail_trainer_bucket_auc", "Their AUC; none while a class is missing.",
         [](const ClassificationMetrics& m) { return m.auc; });
    each("longtail_trainer_bucket_loss", "Their mean log loss.",
         [](const ClassificationMetrics& m) { return m.logloss; });
  }
  AddWorkerFigures(progress_.workers, figures);
}

}  // namespace longtail::examples
