// A CTR model in training: its table in a cluster, its dense parameters here, its replicas.
//
// One step takes a global batch in `workers` equal micro-batches, one a replica. Each replica pulls
// its rows, computes, pushes its rows' gradients and ends its step; then the replicas' dense
// gradients are summed in their order and the dense optimizer moves the shared parameters, a slice
// a thread. A replica that waits for the others reads ahead and takes a part of their products
// (thread_team.h, team_gemm.h). In synchronous mode every bit of the result is decided by config
// and data, not by timing. In the others the order in which pushes reach the table is not; the
// dense half still brings the replicas together after each step, so that none is more than a step
// ahead.
//
// A training may be divided among processes, each with an equal share of the replicas. Every one
// reads all of the data and keeps its own micro-batches, and has all of the dense parameters. In
// synchronous mode their gradients are summed by the cluster (dense_exchange.h), to the same bits;
// in the others the cluster holds them (served_dense.h) and no process waits for another.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/batch.h"
#include "examples/common/data/feature_layout.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/gemm.h"
#include "examples/ctr/dense_exchange.h"
#include "examples/ctr/models/model.h"
#include "examples/ctr/process_place.h"
#include "examples/ctr/replica.h"
#include "examples/ctr/served_dense.h"
#include "examples/ctr/team_gemm.h"
#include "examples/ctr/thread_team.h"
#include "examples/ctr/train_config.h"
#include "examples/ctr/trainer.h"
#include "longtail/cluster.h"

namespace longtail::examples {

/// Thread: one at a time. Owns `workers` - 1 threads and as many workers of the cluster, plus one.
class CtrTrainer final : public Trainer {
 public:
  /// Creates the table in `cluster`, which must have room for config.workers workers, or finds it.
  ///
  /// Errors: InvalidArgument if batch and workers do not divide; Unimplemented for dense weight
  ///         decay in several processes that are not synchronous; those of the cluster.
  static absl::StatusOr<std::unique_ptr<CtrTrainer>> Make(const TrainConfig& config,
                                                          const FeatureLayout& layout,
                                                          Cluster& cluster,
                                                          const ProcessPlace& place = {});
  ~CtrTrainer() override;

  absl::Status BeginEpoch(std::uint64_t epoch, NextBatch next) override;

  /// It need not: rows that were pulled ahead are saved, so that a resumed training computes with
  /// the same ones; not of several processes, each of which would have its own: see PullAgain.
  void PauseBehind(std::uint64_t) override {}

  absl::StatusOr<StepResult> Step() override;
  absl::Status Flush() override;

  /// Of several processes that are not synchronous: the cluster holds them.
  absl::Status RefreshDense() override;

  absl::Status PullAgain() override;
  absl::Status Score(Batch& batch, std::optional<std::uint32_t> field, Scores& scores) override;
  void ForEachLogit(absl::FunctionRef<void(float label, float logit)> visit) const override;
  TrainerState Save() const override;
  absl::Status Restore(const TrainerState& state) override;
  WorkerStatistics statistics() const override;
  TableId table() const override { return table_; }
  std::uint64_t step() const override { return step_; }

  /// The dense half of the model, and what it is one of.
  const ModelParameters& parameters() const { return shared_; }
  const ModelSpec& model_spec() const { return replicas_[0]->model().spec(); }

 private:
  // This step's, the next one's, that of the one after it, which is read ahead, and the last one's,
  // whose push may be on its way.
  static constexpr std::size_t kSlots = 4;

  CtrTrainer(const TrainConfig& config, TableId table, const ProcessPlace& place);

  static std::size_t After(std::size_t slot) { return (slot + 1) % kSlots; }
  std::size_t last() const { return (current_ + kSlots - 1) % kSlots; }

  absl::Status Read(std::size_t slot);
  void ReadAhead();
  absl::Status FinishPrepare(std::uint32_t member);
  absl::Status TrainAll(const ReplicaStep& step);
  absl::Status PushLast();
  absl::Status UseSavedRows(std::size_t slot);
  absl::Status SumDense(std::uint64_t step);
  void MoveDense(std::uint32_t member);
  void MixStatistics();

  const TrainConfig config_;
  const TableId table_;
  const ProcessPlace place_;
  const std::uint32_t first_worker_;  // The rank of the first replica here.
  std::unique_ptr<Gemm> gemm_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<std::unique_ptr<TeamGemm>> team_gemms_;  // By replica.
  ModelParameters shared_;
  std::unique_ptr<DenseOptimizer> optimizer_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<std::array<ReplicaSlot, kSlots>> slots_;  // [replica][slot]
  std::vector<std::array<std::size_t, kSlots>> sizes_;  // [worker][slot]: of every process.
  // Null, both: all replicas are here.
  std::unique_ptr<DenseExchange> exchange_;
  std::unique_ptr<ServedDense> served_;
  std::vector<float> state_updates_;  // [worker, state size], of an exchange.
  Batch skipped_;                     // A micro-batch of another process.
  ReplicaSlot scoring_;
  NextBatch next_;
  std::size_t current_ = 0;  // Which slot the next step trains on.
  bool is_first_pass_ = true;
  bool at_end_ = true;                           // The data of this epoch is read.
  std::array<std::size_t, kSlots> totals_ = {};  // Examples in the slots, of all workers.
  // The slot after the next one: read and prepared by whoever waits for the others in this step.
  std::size_t ahead_ = 0;
  bool is_ahead_ = false;  // It was read, or could not be, as ahead_status_ says.
  absl::Status ahead_status_;
  std::unique_ptr<TeamTask> read_;
  std::vector<std::unique_ptr<TeamTask>> prepare_;  // By replica,
  std::vector<absl::Status> prepared_;              // and what came of it.
  bool has_push_ = false;                           // The last step's gradients are not pushed yet,
  ReplicaStep last_step_;                           // and this was it.
  float gradient_factor_ = 1;                       // Makes the replicas' sums a mean.
  std::uint64_t step_ = 0;
  std::vector<std::string> saved_rows_;  // By replica: rows pulled ahead when the state was saved.
};

}  // namespace longtail::examples
