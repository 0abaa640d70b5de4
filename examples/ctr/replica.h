// One thread's half of training: pulls rows for its micro-batch, runs the model, pushes gradients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch.h"
#include "examples/common/nn/aligned_buffer.h"
#include "examples/ctr/backoff.h"
#include "examples/ctr/dense_exchange.h"
#include "examples/ctr/models/model.h"
#include "examples/ctr/served_dense.h"
#include "longtail/worker.h"

namespace longtail::examples {

/// A micro-batch and the rows of its keys.
struct ReplicaSlot {
  Batch batch;
  KeyBatch keys;
  std::vector<float> rows;                ///< [unique, row_dim]
  std::vector<std::uint32_t> counts;      ///< [unique], if they were asked for.
  std::vector<Key> keys_to_pull;          ///< With back-off: the batch's and the fields'.
  std::vector<std::uint32_t> row_of_key;  ///< With back-off that switches: [batch.keys.size()].
  AddedRows added;                        ///< With back-off that adds.
  Pending pull;
};

/// What a step needs to know besides its micro-batch.
struct ReplicaStep {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::size_t first_example = 0;   ///< Of the micro-batch in the global batch.
  float gradient_scale = 1;        ///< Of every example's loss.
  float dense_gradient_scale = 1;  ///< Of dense gradients, beside that.
  float learning_rate_factor = 1;
  bool counts_occurrences = true;  ///< False when the data are seen again.
};

/// Thread: one at a time.
class Replica {
 public:
  Replica(std::unique_ptr<Worker> worker, TableId table, std::unique_ptr<Model> model,
          const BackoffSpec& backoff);

  /// From now on Push also sends its dense gradients there, as the replica of that rank.
  void SendDenseTo(const DenseExchange& exchange, std::uint32_t rank) {
    sender_ = std::make_unique<DenseExchange::Sender>(exchange, rank);
  }

  /// From now on Push also pushes its dense gradients to the table that holds the parameters.
  void SendDenseTo(const ServedDense& dense) {
    served_sender_ = std::make_unique<ServedDense::Sender>(dense);
  }

  enum class Counts { kNo, kYes };

  /// Finds the different keys of a slot's batch.
  ///
  /// Thread: any, also while another method runs with another slot.
  absl::Status Prepare(ReplicaSlot& slot);

  /// Starts the pull of a prepared slot's rows, to be trained on so many steps later; none: not at
  /// all.
  absl::Status BeginPull(ReplicaSlot& slot, Counts counts,
                         std::optional<std::uint32_t> steps_ahead);
  absl::Status FinishPull(ReplicaSlot& slot);

  /// Forward and backward.
  absl::Status Train(ReplicaSlot& slot, const ReplicaStep& step);

  /// Pushes the gradients of what Train did last, and ends the worker's step. Returns before the
  /// push is acknowledged; the one before it is waited for.
  absl::Status Push(ReplicaSlot& slot, const ReplicaStep& step);

  /// Waits until every push is acknowledged.
  absl::Status Flush();

  /// Logits of a pulled slot, as in serving: no dropout, running batch norm statistics. Once for
  /// each pull: back-off changes the rows.
  absl::Status Predict(ReplicaSlot& slot);

  /// What Predict made these of: the slot's batch and rows, as back-off left them.
  SparseInput InputOf(const ReplicaSlot& slot) const;

  std::span<const float> logits() const { return logits_; }
  double loss_sum() const { return loss_sum_; }
  std::span<float> parameter_gradients() { return parameter_gradients_.span(); }
  const Model& model() const { return *model_; }
  Worker& worker() { return *worker_; }
  WorkerStatistics statistics() const { return worker_->statistics(); }

 private:
  bool is_adding() const { return backoff_.below != 0 && backoff_.own == OwnRow::kIsAdded; }
  bool is_switching() const { return backoff_.below != 0 && backoff_.own == OwnRow::kWaits; }
  std::span<float> RowsOf(ReplicaSlot& slot) const;
  void BackOff(ReplicaSlot& slot, Sighting sighting) const;

  const std::unique_ptr<Worker> worker_;
  const TableId table_;
  const std::unique_ptr<Model> model_;
  const BackoffSpec backoff_;
  std::vector<float> logits_;
  std::vector<float> logit_gradients_;
  AlignedBuffer row_gradients_;
  AlignedBuffer parameter_gradients_;
  // Null, both: the trainer sums dense gradients itself.
  std::unique_ptr<DenseExchange::Sender> sender_;
  std::unique_ptr<ServedDense::Sender> served_sender_;
  Pending push_;
  Pending dense_push_;
  Pending end_of_step_;
  bool is_pushed_ = false;  // The two above are of a step.
  double loss_sum_ = 0;
};

}  // namespace longtail::examples
