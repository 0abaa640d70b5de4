// What a training run does with whoever trains: CtrTrainer on the host's threads, DeviceTrainer on
// a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch.h"
#include "longtail/checkpoint.h"
#include "longtail/ids.h"
#include "longtail/statistics.h"

namespace longtail::examples {

/// What one step did.
struct StepResult {
  std::uint64_t step = 0;     ///< Counted from 1 over the whole training.
  std::size_t size = 0;       ///< Examples, of all processes.
  std::size_t size_here = 0;  ///< Of this process's replicas.
  std::size_t rows_here = 0;  ///< That these pulled for them.
  double loss_sum = 0;        ///< Sum of the log losses of those, before the step.
};

/// Thread: one at a time.
class Trainer {
 public:
  /// Gives the next micro-batch of an epoch; size 0 is the end. Called within BeginEpoch and Step,
  /// by one thread at a time, which may be any of the trainer's; some steps ahead of the one that
  /// trains on the batch.
  using NextBatch = std::function<absl::Status(Batch&)>;

  /// Of a batch. Counts are of training occurrences, kCountAbsent for a feature that is missing.
  struct Scores {
    std::vector<float> logits;                 ///< [batch.size]
    std::vector<std::uint32_t> rarest_counts;  ///< [batch.size]
    std::vector<std::uint32_t> field_counts;   ///< [batch.size], or empty.
    bool wants_pooled_rows = false;
    std::vector<float> pooled_rows;  ///< As PoolRows gives them, if they are wanted.
  };

  virtual ~Trainer() = default;

  /// Begins a pass over the data, the first is 0, whose micro-batches of batch / workers examples
  /// come from `next`. Only the first one adds to the rows' training counts.
  virtual absl::Status BeginEpoch(std::uint64_t epoch, NextBatch next) = 0;

  /// Nothing of steps behind this one begins before it is done: where a checkpoint is made. The
  /// step must not be past.
  virtual void PauseBehind(std::uint64_t step) = 0;

  /// One step; size 0 is the end of the epoch. Its rows' gradients may wait for the next call of
  /// this object to be pushed.
  virtual absl::StatusOr<StepResult> Step() = 0;

  /// Waits until every push is acknowledged and the rows of the next step, if they were asked for,
  /// are here.
  virtual absl::Status Flush() = 0;

  /// Brings dense parameters that are held elsewhere up to date: before they are saved or used.
  virtual absl::Status RefreshDense() = 0;

  /// Pulls the next step's rows again, if they were pulled: they are then as new as those of a
  /// training that is resumed here.
  virtual absl::Status PullAgain() = 0;

  /// Scores a batch.
  virtual absl::Status Score(Batch& batch, std::optional<std::uint32_t> field, Scores& scores) = 0;

  /// Calls visit(label, logit) for every example of the last step.
  virtual void ForEachLogit(absl::FunctionRef<void(float label, float logit)> visit) const = 0;

  /// All that the cluster does not hold; call Flush and RefreshDense first.
  virtual TrainerState Save() const = 0;

  /// Continues where Save was called, in an epoch begun with BeginEpoch after this.
  virtual absl::Status Restore(const TrainerState& state) = 0;

  /// At the end of a training: writes what was asked for beside it, and tells in a sentence how it
  /// trained, or nothing.
  ///
  /// Errors: Unavailable, with the file that cannot be written.
  virtual absl::StatusOr<std::string> Conclude() { return std::string(); }

  /// Of all workers here, since they connected: of pulls, those for training alone.
  virtual WorkerStatistics statistics() const = 0;

  virtual TableId table() const = 0;
  virtual std::uint64_t step() const = 0;
};

}  // namespace longtail::examples
