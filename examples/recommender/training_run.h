// One training from config to figures, and what a trained model is asked afterwards.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "examples/common/data/example_reader.h"
#include "examples/common/report/text_table.h"
#include "examples/ctr/process_place.h"
#include "examples/recommender/evaluation.h"
#include "examples/recommender/factor_model.h"
#include "examples/recommender/recommender_config.h"

namespace longtail::examples::recommender {

/// What the command line decides.
struct RunOptions {
  RecommenderConfig config;
  /// The cluster's coordinator (tcp://HOST:PORT, or a file that holds it); empty: an embedded
  /// cluster. All processes then share the directory `out` and the servers' store.
  std::string cluster{};
  std::string store{};  ///< Of checkpoints; servers must name the same. Empty: in `out`.
  double join_timeout_seconds = 60;  ///< How long to wait for the cluster until it is there.
  ProcessPlace process{};            ///< Which of the processes that share the workers this is.
  std::string out = "runs/recommender";
  std::uint64_t checkpoint_every = 0;  ///< Steps; 0: at the end alone.
  std::uint64_t stop_after = 0;        ///< Stop after so many steps of this run and save; 0: no.
  bool resume = false;                 ///< Go on from the newest checkpoint, if there is one.
  OnBadLine on_bad_line = OnBadLine::kFail;
  TerminalStyle style{};
};

/// Where checkpoints are.
std::string StoreOf(const RunOptions& options);

/// Figures on the test part: lists, or ratings where the model is trained for those.
struct RunResult {
  std::uint64_t steps = 0;  ///< Over all epochs and runs.
  double loss = 0;          ///< The mean of the last stretch.
  std::string checkpoint{};
  std::optional<RankingResult> ranking{};
  std::optional<RatingResult> ratings{};
};

/// Trains, saves, evaluates, prints to `out` and writes metrics.json. Of several processes the
/// first one saves and evaluates.
///
/// Errors: those of data, cluster and checkpoints; FailedPrecondition if it resumes with other
///         settings.
absl::StatusOr<RunResult> TrainAndEvaluate(const RunOptions& options, std::ostream& out);

/// A trained model from its newest checkpoint, in a cluster within this process.
struct SavedModel {
  std::unique_ptr<Cluster> cluster;
  std::unique_ptr<FactorModel> model;
};

/// Errors: NotFound (no checkpoint); as StepOf.
absl::StatusOr<SavedModel> LoadSavedModel(const RunOptions& options, const Dataset& data);

/// Prints how many lines were left out and why, if there are any.
void PrintBadLines(const BadLines& bad_lines, std::ostream& out);

}  // namespace longtail::examples::recommender
