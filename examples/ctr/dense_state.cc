#include "examples/ctr/dense_state.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

const std::string kTrainedState = "dense.parameters";
const std::string kBatchNormState = "dense.statistics";
const std::string kOptimizerState = "dense.optimizer";
const std::string kStepState = "step";

absl::StatusOr<std::string> Find(const TrainerState& state, const std::string& name) {
  const auto found = state.find(name);
  if (found != state.end()) return found->second;
  return absl::DataLossError(absl::StrCat("trainer state without '", name, "'"));
}

}  // namespace

void SaveDense(const ModelParameters& shared, const DenseOptimizer& optimizer, std::uint64_t step,
               TrainerState& state) {
  state[kTrainedState] = shared.trained.Serialize();
  state[kBatchNormState] = shared.state.Serialize();
  state[kOptimizerState] = optimizer.Serialize();
  state[kStepState] = absl::StrCat(step);
}

absl::Status RestoreDense(const TrainerState& state, ModelParameters& shared,
                          DenseOptimizer& optimizer, std::uint64_t& step) {
  LONGTAIL_ASSIGN_OR_RETURN(const std::string trained, Find(state, kTrainedState));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string statistics, Find(state, kBatchNormState));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string slots, Find(state, kOptimizerState));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string text, Find(state, kStepState));
  LONGTAIL_RETURN_IF_ERROR(shared.trained.Restore(trained));
  LONGTAIL_RETURN_IF_ERROR(shared.state.Restore(statistics));
  LONGTAIL_RETURN_IF_ERROR(optimizer.Restore(slots));
  if (!absl::SimpleAtoi(text, &step)) {
    return absl::DataLossError(absl::StrCat("trainer state: step '", text, "': want a number"));
  }
  return absl::OkStatus();
}

void ScaleWeights(float scale, Parameters& parameters) {
  for (const Tensor& tensor : parameters.layout().tensors()) {
    if (tensor.decay != Decay::kYes) continue;
    for (float& weight : parameters.values().subspan(tensor.offset, tensor.size)) weight *= scale;
  }
}

}  // namespace longtail::examples
