// A CTR model in training on a device: rows from a cluster, all dense math on the device.
//
// A step is read and deduplicated by one thread of the host while another brings the steps before
// it to the device, waits for the oldest one's results and pushes them (step_pipeline.h). Dense
// parameters and their optimizer's state live on the device and are moved there, step by step, so
// that only rows are old: those of a step are pulled while depth - 1 steps before it are not
// pushed, in synchronous mode exactly so; with a cache, up to cache_steps more. The first
// exact_steps steps are trained as with depth 1. With depth 1 and no
// cache, every bit is that of CtrTrainer with one worker and no prefetch, where the device is the
// CPU's.
//
// With config.device.graph the dense part of a step, its optimizer with it, is one launch of a
// graph (step_graphs.h). No bit is another for it.
//
// Scores are computed by the host's own model: call RefreshDense first.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/feature_layout.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/gemm.h"
#include "examples/ctr/complete_config.h"
#include "examples/ctr/device/device_dense.h"
#include "examples/ctr/device/device_model.h"
#include "examples/ctr/process_place.h"
#include "examples/ctr/replica.h"
#include "examples/ctr/thread_team.h"
#include "examples/ctr/train_config.h"
#include "examples/ctr/trainer.h"
#include "longtail/cluster.h"
#include "worker/device/open_device.h"
#include "worker/device/range_trace.h"
#include "worker/device/step_graphs.h"
#include "worker/device/step_pipeline.h"

namespace longtail::examples {

/// Thread: one at a time. Owns a thread, a worker of the cluster, and those of its device.
class DeviceTrainer final : public Trainer {
 public:
  /// Opens config.device and creates the table in `cluster`, or finds it.
  ///
  /// Errors: InvalidArgument for settings that a device does not train with, naming them, among
  ///         them several workers or processes and back-off; Unimplemented for batch norm; as
  ///         OpenDevice; those of the cluster.
  static absl::StatusOr<std::unique_ptr<DeviceTrainer>> Make(const TrainConfig& config,
                                                             const FeatureLayout& layout,
                                                             Cluster& cluster,
                                                             const ProcessPlace& place = {});
  ~DeviceTrainer() override;

  /// Which device it took, and why: for a log or a terminal.
  const std::string& sentence() const { return opened_.sentence; }

  /// Errors: FailedPrecondition if steps are in flight: see PauseBehind.
  absl::Status BeginEpoch(std::uint64_t epoch, NextBatch next) override;
  void PauseBehind(std::uint64_t step) override { pause_behind_ = step; }
  absl::StatusOr<StepResult> Step() override;
  absl::Status Flush() override;

  /// From the device. Errors: FailedPrecondition if steps are in flight: they have moved them.
  absl::Status RefreshDense() override;

  /// No row is pulled ahead of where a training is resumed.
  absl::Status PullAgain() override { return absl::OkStatus(); }

  absl::Status Score(Batch& batch, std::optional<std::uint32_t> field, Scores& scores) override;
  void ForEachLogit(absl::FunctionRef<void(float label, float logit)> visit) const override;
  TrainerState Save() const override;
  absl::Status Restore(const TrainerState& state) override;
  absl::StatusOr<std::string> Conclude() override;
  WorkerStatistics statistics() const override { return replica_->statistics(); }
  TableId table() const override { return table_; }
  std::uint64_t step() const override { return step_; }

  /// What the cache of rows has counted.
  absl::StatusOr<device::CacheCounters> cache_counters() { return pipeline_->CountersOfCache(); }

  /// What graphs have done; zero without them.
  device::GraphCounters graph_counters() const;

 private:
  /// A step that is read, and what of it is under way.
  struct Flight {
    Batch batch;
    KeyBatch keys;
    std::vector<Key> missed;  // With a cache: keys whose rows are pulled.
    KeyBatch missed_keys;
    std::size_t rows_sent = 0;
    Pending pull;
    bool has_pull = false;  // It may be that no row was missed.
    bool is_launched = false;
    ReplicaStep step;
    GradientScales scales;
  };

  DeviceTrainer(const TrainConfig& config, TableId table);

  std::size_t PlaceOf(std::size_t nth) const { return (first_ + nth) % flights_.size(); }
  absl::Status Read(std::size_t place);
  absl::Status Prepare(std::size_t place);
  void FillInputs(std::size_t place);
  absl::Status Fill();
  absl::Status BeginPull(std::size_t place, std::uint32_t ahead);
  absl::Status FindMissed(std::size_t place);
  absl::Status Launch(std::size_t place);
  void EnqueueDensePart(std::size_t place);
  absl::Status LaunchAll();
  absl::Status FinishFirst(StepResult& result);
  absl::Status Push(std::size_t place);

  const TrainConfig config_;
  const TableId table_;
  std::unique_ptr<Gemm> gemm_;
  ModelParameters shared_;
  std::unique_ptr<DenseOptimizer> optimizer_;  // Its state, while nothing is in flight.
  std::unique_ptr<Replica> replica_;           // The worker, and the host's model for scores.
  ReplicaSlot scoring_;
  device::OpenedDevice opened_;
  std::unique_ptr<device::RangeTrace> trace_;  // Null: none is wanted.
  std::unique_ptr<device::StepPipeline> pipeline_;
  std::unique_ptr<device::StepGraphs> graphs_;  // Null: none are wanted.
  std::unique_ptr<DeviceDense> dense_;
  std::unique_ptr<DeviceModel> model_;
  std::vector<Flight> flights_;  // One for each room of the pipeline.
  ThreadTeam team_{2};
  NextBatch next_;
  std::size_t first_ = 0;      // Whose step is the oldest in flight,
  std::size_t in_flight_ = 0;  // and how many are.
  bool is_read_ = false;       // The one behind them is read.
  bool at_end_ = true;
  absl::Status read_status_;
  bool is_first_pass_ = true;
  std::uint64_t pause_behind_;
  Pending push_;
  Pending end_of_step_;
  bool is_pushed_ = false;
  std::size_t last_ = 0;  // Where the last step was.
  std::uint64_t step_ = 0;
  std::uint32_t cache_step_ = 0;
};

}  // namespace longtail::examples
