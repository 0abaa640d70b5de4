// Learns from a stream of examples, each scored before it is learned: batches go to a cluster.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/online/fm_model.h"
#include "examples/online/log_joiner.h"
#include "examples/online/progressive_scores.h"
#include "longtail/cluster.h"
#include "longtail/worker.h"

namespace longtail::examples {

struct OnlineTrainerOptions {
  FmOptions model{};
  /// A batch ends with so many examples,
  std::size_t batch_max = 256;
  /// or when the time of events passes a multiple of this: what decides is in the logs, so the same
  /// batches are made every time they are read.
  std::int64_t batch_ms = 500;
};

/// The one worker of its cluster: its steps are the only ones.
///
/// Thread: one at a time.
class OnlineTrainer {
 public:
  /// Makes the table, or takes the one that is there.
  ///
  /// Errors: those of Cluster::CreateTable and Connect.
  static absl::StatusOr<std::unique_ptr<OnlineTrainer>> Make(Cluster& cluster,
                                                             const OnlineTrainerOptions& options);

  /// Takes an example, and trains a batch if it ends one.
  ///
  /// Errors: those of Worker's calls. The trainer is then good for nothing: begin anew from a
  ///         checkpoint.
  absl::Status Add(Example example);

  /// The time of events, which ends batches, too.
  absl::Status Tick(std::int64_t now_ms);

  /// Trains what waits for a batch to be full.
  absl::Status Flush();

  std::uint64_t steps() const { return steps_; }
  std::uint64_t examples() const { return examples_; }
  /// Of all examples in their order, with their labels: equal for equal streams.
  std::uint64_t examples_hash() const { return examples_hash_; }
  ProgressiveScores& scores() { return scores_; }
  const ProgressiveScores& scores() const { return scores_; }
  /// From when the last event of a batch came into the log until the batch was in the model, in
  /// milliseconds, of the newest 4,096 batches.
  const std::vector<double>& lags_ms() const { return lags_ms_; }
  WorkerStatistics statistics() const { return worker_->statistics(); }

  /// All but rows, which the cluster has: as text.
  std::string Save() const;

  /// Errors: DataLoss.
  absl::Status Restore(std::string_view text);

 private:
  OnlineTrainer(std::unique_ptr<Worker> worker, TableId table, const OnlineTrainerOptions& options)
      : options_(options), worker_(std::move(worker)), table_(table) {}

  void NoteLag();

  const OnlineTrainerOptions options_;
  const std::unique_ptr<Worker> worker_;
  const TableId table_;
  std::vector<Example> batch_;
  std::uint64_t steps_ = 0;
  std::uint64_t examples_ = 0;
  std::uint64_t examples_hash_ = 0;
  ProgressiveScores scores_;
  std::vector<double> lags_ms_;
  std::size_t next_lag_ = 0;
  // Of a batch, reused.
  KeyBatch keys_;
  std::vector<Key> all_keys_;
  std::vector<float> rows_;
  std::vector<float> gradients_;
  std::vector<std::uint32_t> counts_;
};

}  // namespace longtail::examples
