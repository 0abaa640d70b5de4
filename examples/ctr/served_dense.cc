#include "examples/ctr/served_dense.h"

#include <algorithm>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

// The table's rule that does what the dense optimizer does.
OptimizerRule RuleOf(const DenseOptimizerSpec& spec) {
  if (const auto* sgd = std::get_if<DenseSgd>(&spec.rule)) {
    if (sgd->momentum == 0) return SgdSpec{.learning_rate = sgd->learning_rate};
    return MomentumSpec{.learning_rate = sgd->learning_rate, .momentum = sgd->momentum};
  }
  if (const auto* adagrad = std::get_if<DenseAdagrad>(&spec.rule)) {
    return AdagradSpec{.learning_rate = adagrad->learning_rate,
                       .initial_accumulator = adagrad->initial_sum,
                       .epsilon = adagrad->epsilon};
  }
  const auto& adam = std::get<DenseAdam>(spec.rule);
  return AdamSpec{.learning_rate = adam.learning_rate,
                  .beta1 = adam.beta1,
                  .beta2 = adam.beta2,
                  .epsilon = adam.epsilon};
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedDense>> ServedDense::Make(Cluster& cluster,
                                                               const DenseOptimizerSpec& spec,
                                                               std::span<const float> initial) {
  if (spec.weight_decay != 0) {
    return absl::UnimplementedError(absl::StrCat(
        "dense.optimizer.weight_decay ", spec.weight_decay,
        ": several processes whose steps are not synchronous keep what parameters have moved, not ",
        "what they are; wanted 0, or synchronous steps"));
  }
  const TableSpec table{.name = "dense",
                        .dim = RowVector::kDim,
                        .optimizer = {.rule = RuleOf(spec), .gradient_clip = spec.gradient_clip},
                        .initializer = ConstantSpec{.value = 0}};
  LONGTAIL_ASSIGN_OR_RETURN(const TableId id, cluster.CreateTable(table));
  return std::unique_ptr<ServedDense>(new ServedDense(id, initial));
}

absl::StatusOr<Pending> ServedDense::Sender::Push(Worker& worker, std::span<const float> gradient,
                                                  float rate_factor) {
  vector_.Clear();
  vector_.AddKeys(0, RowVector::RowsFor(gradient.size()));
  LONGTAIL_RETURN_IF_ERROR(vector_.Prepare(worker, dense_.table_));
  vector_.Put(gradient, 0);
  const PushItem item = vector_.push();
  return worker.PushAsync(std::span(&item, 1),
                          {.learning_rate_scale = rate_factor, .exact_on_wire = true});
}

absl::Status ServedDense::Pull(Worker& worker, std::span<float> parameters) {
  vector_.Clear();
  vector_.AddKeys(0, RowVector::RowsFor(parameters.size()));
  LONGTAIL_RETURN_IF_ERROR(vector_.Prepare(worker, table_));
  const PullItem item = vector_.pull();
  LONGTAIL_RETURN_IF_ERROR(
      worker.Pull(std::span(&item, 1), {.steps_ahead = {}, .exact_on_wire = true}));
  for (std::size_t at = 0; at < parameters.size(); ++at) {
    parameters[at] = initial_[at] + vector_.Row(at / RowVector::kDim)[at % RowVector::kDim];
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples
