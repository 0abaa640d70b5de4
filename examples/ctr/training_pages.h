// What a training shows over HTTP while it runs: figures for Prometheus, and whether it trains.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "examples/common/metrics/evaluator.h"
#include "longtail/pages.h"
#include "longtail/statistics.h"

namespace longtail::examples {

/// Thread: what is noted, the training's. Owns the threads of the pages.
class TrainingPages {
 public:
  /// Of this process: since it began, not since the training did.
  struct Progress {
    std::uint64_t samples = 0;
    std::uint64_t steps = 0;
    std::uint64_t rows_pulled = 0;
    std::uint64_t step = 0;        ///< Of the training.
    std::uint64_t epoch = 0;       ///< From 0.
    std::optional<double> loss{};  ///< Of the last window, each example before it was trained on,
    std::optional<double> auc{};   ///< and its AUC, about.
    WorkerStatistics workers{};
  };

  /// Errors: those of Pages::Show.
  static absl::StatusOr<std::unique_ptr<TrainingPages>> Show(const std::string& listen);

  /// What it does instead of training: "joins the cluster"; empty: it trains.
  void NoteStage(std::string stage);
  void NoteProgress(const Progress& progress);
  /// The newest measurement of a split.
  void NoteEvaluation(const std::string& split, const Evaluation& evaluation);

  const std::string& address() const { return pages_->address(); }

 private:
  TrainingPages() = default;
  void AddFigures(Figures& figures) const;

  mutable Mutex mutex_;
  std::string stage_ ABSL_GUARDED_BY(mutex_) = "begins";
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  std::string split_ ABSL_GUARDED_BY(mutex_);
  Evaluation evaluation_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Pages> pages_;  // Last, so that no page is made when the others are gone.
};

}  // namespace longtail::examples
