#include "examples/ctr/dense_exchange.h"

#include <algorithm>

#include "base/status_macros.h"

namespace longtail::examples {
namespace {

// Steps that a sum is kept: it is read in the next one.
constexpr std::uint32_t kKeptSteps = 4;

std::size_t RowsFor(std::size_t floats, std::size_t row_dim) {
  return (floats + row_dim - 1) / row_dim;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DenseExchange>> DenseExchange::Make(Cluster& cluster,
                                                                   std::size_t size,
                                                                   std::size_t own_size,
                                                                   std::uint32_t replicas) {
  TableSpec spec{.name = "dense_sums",
                 .dim = kRowDim,
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
      sum_rows_(RowsFor(size, kRowDim)),
      own_rows_(RowsFor(own_size, kRowDim)) {}

void DenseExchange::AddKeys(Key first, std::size_t count, std::vector<Key>& keys) const {
  for (std::size_t i = 0; i < count; ++i) keys.push_back(first + i);
}

absl::StatusOr<Pending> DenseExchange::Sender::Push(Worker& worker, std::uint64_t step,
                                                    std::span<const float> vector,
                                                    std::span<const float> own) {
  const DenseExchange& e = exchange_;
  const Key first = e.FirstKey(step);
  keys_.clear();
  e.AddKeys(first, e.sum_rows_, keys_);
  e.AddKeys(first + e.sum_rows_ + e.own_rows_ * rank_, e.own_rows_, keys_);
  LONGTAIL_RETURN_IF_ERROR(worker.Prepare(e.table_, keys_, batch_));
  rows_.assign(keys_.size() * kRowDim, 0.0F);  // The last row of each is filled up with zeros.
  const auto put = [&](std::span<const float> floats, std::size_t first_key) {
    for (std::size_t at = 0; at < floats.size(); at += kRowDim) {
      const std::size_t row = batch_.inverse()[first_key + at / kRowDim];
      std::ranges::copy(floats.subspan(at, std::min<std::size_t>(kRowDim, floats.size() - at)),
                        rows_.begin() + static_cast<std::ptrdiff_t>(row * kRowDim));
    }
  };
  put(vector, 0);
  put(own, e.sum_rows_);
  const PushItem item{.keys = &batch_, .gradients = rows_};
  return worker.PushAsync(std::span(&item, 1));
}

absl::Status DenseExchange::Pull(Worker& worker, std::uint64_t step, std::span<float> sum,
                                 std::span<float> own) {
  keys_.clear();
  AddKeys(FirstKey(step), sum_rows_ + own_rows_ * replicas_, keys_);
  LONGTAIL_RETURN_IF_ERROR(worker.Prepare(table_, keys_, batch_));
  rows_.resize(keys_.size() * kRowDim);
  const PullItem item{.keys = &batch_, .rows = rows_};
  LONGTAIL_RETURN_IF_ERROR(
      worker.Pull(std::span(&item, 1), {.steps_ahead = {}}));  // No rows to be old.
  const auto take = [&](std::span<float> floats, std::size_t first_key) {
    for (std::size_t at = 0; at < floats.size(); at += kRowDim) {
      const std::size_t row = batch_.inverse()[first_key + at / kRowDim];
      const std::size_t n = std::min<std::size_t>(kRowDim, floats.size() - at);
      // From zero, so that a sum of zeros is no negative zero.
      for (std::size_t i = 0; i < n; ++i) floats[at + i] = 0.0F - rows_[row * kRowDim + i];
    }
  };
  take(sum.first(size_), 0);
  for (std::uint32_t r = 0; r < replicas_; ++r) {
    take(own.subspan(r * own_size_, own_size_), sum_rows_ + r * own_rows_);
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
