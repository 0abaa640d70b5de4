// One worker of a training: makes its micro-batches, pulls their rows, computes, pushes gradients.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/gemm.h"
#include "examples/recommender/factor_tables.h"
#include "examples/recommender/micro_batch.h"
#include "examples/recommender/towers.h"
#include "longtail/worker.h"

namespace longtail::examples::recommender {

/// Thread: one at a time.
class FactorWorker {
 public:
  /// Everything must outlive this.
  FactorWorker(std::unique_ptr<Worker> worker, const RecommenderConfig& config,
               const FactorTables& tables, const FactorKeys& keys, const Dataset& data,
               const NegativeSampler& sampler, const Gemm& gemm);

  /// Trains on its part of a step and ends the step. Its push may still be on its way. Returns the
  /// sum of the examples' losses.
  absl::StatusOr<double> Step(std::uint64_t step);

  /// Waits until every push is acknowledged.
  absl::Status Flush();

 private:
  // A table's keys in a step, the rows pulled for them and what is pushed.
  struct Part {
    bool is_used = false;
    TableId table{};
    std::vector<Key> wanted;
    KeyBatch keys;
    std::vector<float> rows;
    std::vector<float> gradients;
  };
  absl::Status Prepare(Part& part);

  const std::unique_ptr<Worker> worker_;
  const RecommenderConfig& config_;
  const FactorKeys& keys_;
  const std::uint64_t steps_of_epoch_;
  MicroBatchMaker maker_;
  Towers towers_;
  MicroBatch batch_;
  Part users_;
  Part items_;
  Part history_;
  std::vector<PullItem> pulls_;
  std::vector<PushItem> pushes_;
  Pending push_;
  Pending end_of_step_;
  bool is_pushed_ = false;  // The two above are of a step.
};

}  // namespace longtail::examples::recommender
