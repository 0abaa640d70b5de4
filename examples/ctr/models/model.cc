#include "examples/ctr/models/model.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "examples/ctr/models/dcn_v2.h"
#include "examples/ctr/models/dlrm.h"
#include "examples/ctr/models/factor_model.h"

namespace longtail::examples {
namespace {

absl::Status CheckSize(const char* what, std::size_t size, std::size_t wanted) {
  if (size == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("model: ", what, " ", size, ": want ", wanted));
}

std::unique_ptr<Model> MakeUnbound(const ModelSpec& spec) {
  switch (KindOf(spec)) {
    case ModelKind::kDcnV2:
      return std::make_unique<DcnV2>(spec);
    case ModelKind::kDlrm:
      return std::make_unique<Dlrm>(spec);
    case ModelKind::kLr:
    case ModelKind::kFm:
    case ModelKind::kWideDeep:
    case ModelKind::kDeepFm:
      break;
  }
  return std::make_unique<FactorModel>(spec);
}

}  // namespace

Model::Model(const ModelSpec& spec)
    : spec_(spec),
      gather_({.field_count = spec.field_count,
               .dim = KindOf(spec) == ModelKind::kLr ? 0 : spec.dim,
               .has_linear = HasLinear(spec),
               .pooling = spec.pooling}) {}

MlpSpec Model::HiddenSpec(const std::string& name, std::size_t inputs) const {
  return {.name = name,
          .inputs = inputs,
          .hidden = spec_.hidden,
          .dropout = spec_.dropout,
          .batch_norm = spec_.batch_norm,
          .row_count_max = spec_.batch_max,
          .block_row_count_max = std::min(block_rows(), spec_.batch_max)};
}

MlpForwardState Model::MlpState() {
  return {.parameters = parameters(),
          .state = shared_->state.values().data(),
          .state_update = state_update_.data()};
}

ConstMatrix Model::NumericRows(RowBlock block) const {
  const std::size_t count = spec_.numeric_count;
  return {input_.batch->numeric.data() + block.begin * count, block.count, count, count};
}

absl::Status Model::CheckInput(const SparseInput& input, std::span<const float> logits) const {
  if (input.batch == nullptr) return absl::InvalidArgumentError("model: batch is null: want one");
  const Batch& batch = *input.batch;
  if (batch.size > spec_.batch_max) {
    return absl::InvalidArgumentError(absl::StrCat("model: batch size ", batch.size,
                                                   ": want at most batch_max, ", spec_.batch_max));
  }
  absl::Status status = CheckSize("batch field_count", batch.field_count, spec_.field_count);
  status.Update(CheckSize("batch numeric_count", batch.numeric_count, spec_.numeric_count));
  status.Update(
      CheckSize("batch numeric size", batch.numeric.size(), batch.size * spec_.numeric_count));
  status.Update(
      CheckSize("batch offsets size", batch.offsets.size(), batch.size * spec_.field_count + 1));
  if (!batch.values.empty()) {
    status.Update(CheckSize("batch values size", batch.values.size(), batch.keys.size()));
  }
  status.Update(CheckSize("inverse size", input.inverse.size(), batch.keys.size()));
  status.Update(CheckSize("floats of rows past whole rows", input.rows.size() % row_dim(), 0));
  status.Update(CheckSize("logits size", logits.size(), batch.size));
  return status;
}

absl::Status Model::Forward(const SparseInput& input, const StepContext& context,
                            std::span<float> logits) {
  can_go_back_ = false;
  if (absl::Status status = CheckInput(input, logits); !status.ok()) return status;
  input_ = input;
  context_ = context;
  single_valued_ = IsSingleValued(*input.batch);
  std::ranges::fill(logits, 0.0F);
  for (std::size_t begin = 0; begin < logits.size(); begin += block_rows()) {
    const std::size_t count = std::min(block_rows(), logits.size() - begin);
    ForwardBlock({begin, count}, logits.data() + begin);
  }
  can_go_back_ = context.training;
  return absl::OkStatus();
}

absl::Status Model::Backward(std::span<const float> logit_gradients, std::span<float> row_gradients,
                             std::span<float> parameter_gradients) {
  if (!can_go_back_) {
    return absl::FailedPreconditionError("model: Backward: want a Forward in training before it");
  }
  absl::Status status =
      CheckSize("logit gradients size", logit_gradients.size(), input_.batch->size);
  status.Update(CheckSize("row gradients size", row_gradients.size(), input_.rows.size()));
  status.Update(CheckSize("parameter gradients size", parameter_gradients.size(), layout_.size()));
  if (!status.ok()) return status;
  std::ranges::fill(row_gradients, 0.0F);
  std::ranges::fill(parameter_gradients, 0.0F);
  for (std::size_t begin = 0; begin < logit_gradients.size(); begin += block_rows()) {
    const std::size_t count = std::min(block_rows(), logit_gradients.size() - begin);
    BackwardBlock({begin, count}, logit_gradients.data() + begin, row_gradients,
                  parameter_gradients.data());
    gemm_->Finish();  // The next block adds to the same gradients, and reuses the block's buffers.
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelParameters> MakeModelParameters(const ModelSpec& spec, std::uint64_t seed) {
  if (absl::Status status = Validate(spec); !status.ok()) return status;
  ModelSpec small = spec;  // Layouts do not depend on the batch, buffers do.
  small.batch_max = 1;
  const std::unique_ptr<Model> model = MakeUnbound(small);
  return ModelParameters{Parameters(model->layout_, seed), Parameters(model->state_layout_, seed)};
}

absl::StatusOr<std::unique_ptr<Model>> MakeModel(const ModelSpec& spec,
                                                 const ModelParameters& shared, const Gemm& gemm) {
  if (absl::Status status = Validate(spec); !status.ok()) return status;
  std::unique_ptr<Model> model = MakeUnbound(spec);
  if (shared.trained.layout().fingerprint() != model->layout_.fingerprint() ||
      shared.state.layout().fingerprint() != model->state_layout_.fingerprint()) {
    return absl::InvalidArgumentError(
        absl::StrCat("model '", spec.name, "': parameters of ", shared.trained.values().size(),
                     " floats and another layout: want ", model->layout_.size(),
                     " floats, made by MakeModelParameters with this spec"));
  }
  model->state_update_ = AlignedBuffer(model->state_layout_.size());
  model->shared_ = &shared;
  model->gemm_ = &gemm;
  return model;
}

}  // namespace longtail::examples
