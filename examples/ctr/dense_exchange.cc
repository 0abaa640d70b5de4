#include "examples/ctr/dense_exchange.h"

#include <algorithm>

#include "base/status_macros.h"

namespace longtail::examples {
namespace {

// Steps that a sum is kept: it is read in the next one.
constexpr std::uint32_t kKeptSteps = 4;

}  // namespace

absl::StatusOr<std::unique_ptr<DenseExchange>> DenseExchange::Make(Cluster& cluster,
                                                                   std::size_t size,
                                                                   std::size_t own_size,
                                                                   std::uint32_t replicas) {
  TableSpec spec{.name = "dense_sums",
                 .dim = RowVector::kDim,
                 .optimizer = {.rule = SgdSpec{.learning_rate = 1}},
                 .initializer = ConstantSpec{.value = 0}};
  spec.eviction = {.idle_steps = kKeptSteps, .sweep_steps = kKeptSteps};
  LONGTAIL_ASSIGN_OR_RETURN(const TableId table, cluster.CreateTable(spec));
  return std::unique_ptr<DenseExchange>(new DenseExchange(table, size, own_size, replicas));
}

DenseExchange::DenseExchange(TableId table, std::size_t size, std::size_t own_size,
                             std::uint32_t replicas)
    : table_(table),
      size_(size),
      own_size_(own_size),
      replicas_(replicas),
      sum_rows_(RowVector::RowsFor(size)),
      own_rows_(RowVector::RowsFor(own_size)) {}

absl::StatusOr<Pending> DenseExchange::Sender::Push(Worker& worker, std::uint64_t step,
                                                    std::span<const float> vector,
                                                    std::span<const float> own) {
  const DenseExchange& e = exchange_;
  const Key first = e.FirstKey(step);
  vector_.Clear();
  vector_.AddKeys(first, e.sum_rows_);
  vector_.AddKeys(first + e.sum_rows_ + e.own_rows_ * rank_, e.own_rows_);
  LONGTAIL_RETURN_IF_ERROR(vector_.Prepare(worker, e.table_));
  vector_.Put(vector, 0);
  vector_.Put(own, e.sum_rows_);
  const PushItem item = vector_.push();
  return worker.PushAsync(std::span(&item, 1), {.exact_on_wire = true});
}

absl::Status DenseExchange::Pull(Worker& worker, std::uint64_t step, std::span<float> sum,
                                 std::span<float> own) {
  vector_.Clear();
  vector_.AddKeys(FirstKey(step), sum_rows_ + own_rows_ * replicas_);
  LONGTAIL_RETURN_IF_ERROR(vector_.Prepare(worker, table_));
  const PullItem item = vector_.pull();
  LONGTAIL_RETURN_IF_ERROR(worker.Pull(
      std::span(&item, 1), {.steps_ahead = {}, .exact_on_wire = true}));  // No rows to be old.
  const auto take = [&](std::span<float> floats, std::size_t first_key) {
    for (std::size_t at = 0; at < floats.size(); at += RowVector::kDim) {
      const std::span<const float> row = vector_.Row(first_key + at / RowVector::kDim);
      const std::size_t n = std::min<std::size_t>(RowVector::kDim, floats.size() - at);
      // From zero, so that a sum of zeros is no negative zero.
      for (std::size_t i = 0; i < n; ++i) floats[at + i] = 0.0F - row[i];
    }
  };
  take(sum.first(size_), 0);
  for (std::uint32_t r = 0; r < replicas_; ++r) {
    take(own.subspan(r * own_size_, own_size_), sum_rows_ + r * own_rows_);
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
