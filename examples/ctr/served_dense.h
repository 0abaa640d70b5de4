// Dense parameters that the cluster holds and moves, for processes that do not wait for one
// another.
//
// A row has what its parameters have moved since the training began: rows begin at 0, and every
// process makes the same initial values. Each replica pushes its gradient, the table's optimizer
// moves the row, and a process adds what it pulls to its initial values before each step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/ctr/row_vector.h"
#include "longtail/cluster.h"

namespace longtail::examples {

/// Thread: one at a time for each sender; Pull: one.
class ServedDense {
 public:
  /// `initial` are the parameters as every process has them at first.
  ///
  /// Errors: Unimplemented for weight decay, which the rows cannot know; those of the cluster.
  static absl::StatusOr<std::unique_ptr<ServedDense>> Make(Cluster& cluster,
                                                           const DenseOptimizerSpec& spec,
                                                           std::span<const float> initial);

  class Sender {
   public:
    explicit Sender(const ServedDense& dense) : dense_(dense) {}

    /// Pushes a gradient, which is copied before it returns. `rate_factor` multiplies the learning
    /// rate.
    absl::StatusOr<Pending> Push(Worker& worker, std::span<const float> gradient,
                                 float rate_factor);

   private:
    const ServedDense& dense_;
    RowVector vector_;
  };

  /// Brings the parameters up to date.
  absl::Status Pull(Worker& worker, std::span<float> parameters);

 private:
  ServedDense(TableId table, std::span<const float> initial)
      : table_(table), initial_(initial.begin(), initial.end()) {}

  const TableId table_;
  const std::vector<float> initial_;
  RowVector vector_;  // Pull's own.
};

}  // namespace longtail::examples
