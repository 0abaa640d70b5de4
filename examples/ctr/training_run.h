// One training from config to report: epochs, evaluation, checkpoints, what a person sees.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/example_reader.h"
#include "examples/common/report/progress_line.h"
#include "examples/common/report/run_report.h"
#include "examples/common/report/text_table.h"
#include "examples/ctr/process_place.h"
#include "examples/ctr/train_config.h"

namespace longtail::examples {

/// What the command line decides.
struct RunOptions {
  TrainConfig config;
  /// The cluster's coordinator (tcp://HOST:PORT, or a file that holds it); empty: an embedded
  /// cluster. All processes then share the directory `out` and the servers' store.
  std::string cluster{};
  std::string admin{};  ///< HOST:PORT of pages over HTTP (training_pages.h); empty: none.
  std::string store{};  ///< Of checkpoints; servers must name the same. Empty: in `out`.
  double join_timeout_seconds = 60;         ///< How long to wait for the cluster until it is there.
  double checkpoint_timeout_seconds = 600;  ///< How long it may take to save a checkpoint.
  ProcessPlace process{};  ///< Of several, the first alone evaluates, saves and reports.
  std::string out;         ///< Directory of checkpoints, report and predictions; made if need be.
  std::uint64_t checkpoint_every = 0;  ///< Steps; 0: at the end alone.
  /// Increments in a row between full checkpoints; 0: all are full.
  std::uint32_t checkpoint_increments = 0;
  std::uint64_t stop_after = 0;  ///< Steps of this process, then a checkpoint; 0: to the end.
  bool resume = false;           ///< From the newest checkpoint in `out`, if there is one.
  OnBadLine on_bad_line = OnBadLine::kFail;
  std::string command_line{};
  ProgressOptions progress{};
  TerminalStyle style{};
};

/// Trains, evaluates, saves and writes report.html, report.json and predictions.csv to options.out;
/// while it trains also statistics.json, about every two seconds, for `longtail inspect`, and
/// evictions/ if the config wants the audit.
/// Progress and results go to `out`.
///
/// Errors: those of the data, with file, line and column; of the cluster; of the disk.
absl::StatusOr<RunReport> TrainAndReport(const RunOptions& options, std::ostream& out);

}  // namespace longtail::examples
