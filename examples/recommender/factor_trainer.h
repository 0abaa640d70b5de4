// A recommender in training: its tables in a cluster, its workers' threads here.
//
// Nothing of the model lives in the trainer: every parameter is a row. So a worker needs nothing of
// another one, a process nothing of another, and a checkpoint is the cluster's, with the number of
// steps. In synchronous mode every bit is decided by config and data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/gemm.h"
#include "examples/ctr/process_place.h"
#include "examples/recommender/factor_worker.h"

namespace longtail::examples::recommender {

/// Thread: one at a time.
class FactorTrainer {
 public:
  /// `config`, `data` and `cluster` must outlive this. Makes the tables, or finds them; connects
  /// the workers of this process.
  ///
  /// Errors: those of the cluster; InvalidArgument if workers and processes do not divide.
  static absl::StatusOr<std::unique_ptr<FactorTrainer>> Make(const RecommenderConfig& config,
                                                             const Dataset& data, Cluster& cluster,
                                                             const ProcessPlace& place);

  /// Trains steps `begin` … `end` - 1, counted over all epochs, each worker on a thread of its own.
  /// Returns the mean loss of the examples of this process. All pushes are acknowledged then.
  ///
  /// Errors: the first worker's that failed; the others then stop, too.
  absl::StatusOr<double> Train(std::uint64_t begin, std::uint64_t end);

  std::uint64_t steps_of_epoch() const {
    return MicroBatchMaker::StepsOfEpoch(data_, config_.batch);
  }
  const FactorTables& tables() const { return tables_; }

 private:
  FactorTrainer(const RecommenderConfig& config, const Dataset& data);

  const RecommenderConfig& config_;
  const Dataset& data_;
  const FactorKeys keys_;
  const NegativeSampler sampler_;
  const std::unique_ptr<Gemm> gemm_;
  FactorTables tables_;
  std::vector<std::unique_ptr<FactorWorker>> workers_;
};

}  // namespace longtail::examples::recommender
