// Dense gradients of replicas in many processes, summed by the cluster.
//
// A step's sum is a few rows of a table of their own, with new keys for each step: rows begin at 0,
// SGD at rate 1 subtracts every replica's gradient when the step ends, in the order of ranks, and
// the idle ones are evicted a few steps later. So each process reads the bits that one process
// would have summed: minus the row is ((g0 + g1) + g2) …, for rounding has no sign.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/ctr/row_vector.h"
#include "longtail/cluster.h"
#include "longtail/worker.h"

namespace longtail::examples {

/// For a synchronous cluster. Thread: one at a time for each replica; Pull: one.
class DenseExchange {
 public:
  /// Sums vectors of `size` floats; beside them each of `replicas` sends `own_size` floats that are
  /// handed on as they are.
  static absl::StatusOr<std::unique_ptr<DenseExchange>> Make(Cluster& cluster, std::size_t size,
                                                             std::size_t own_size,
                                                             std::uint32_t replicas);

  /// One replica's side of it.
  class Sender {
   public:
    Sender(const DenseExchange& exchange, std::uint32_t rank) : exchange_(exchange), rank_(rank) {}

    /// Pushes what the replica has for `step`, before its worker ends that step. The vectors are
    /// copied before it returns.
    absl::StatusOr<Pending> Push(Worker& worker, std::uint64_t step, std::span<const float> vector,
                                 std::span<const float> own);

   private:
    const DenseExchange& exchange_;
    const std::uint32_t rank_;
    RowVector vector_;
  };

  /// What all have sent for `step`, once every worker has ended it.
  ///
  /// Shapes: sum [size]; own [replicas, own_size].
  absl::Status Pull(Worker& worker, std::uint64_t step, std::span<float> sum, std::span<float> own);

 private:
  DenseExchange(TableId table, std::size_t size, std::size_t own_size, std::uint32_t replicas);

  // Keys of a step: the sum's rows, then each replica's own.
  Key FirstKey(std::uint64_t step) const { return step * (sum_rows_ + own_rows_ * replicas_); }

  const TableId table_;
  const std::size_t size_;
  const std::size_t own_size_;
  const std::uint32_t replicas_;
  const std::size_t sum_rows_;
  const std::size_t own_rows_;  // Of one replica.
  RowVector vector_;            // Pull's own.
};

}  // namespace longtail::examples
