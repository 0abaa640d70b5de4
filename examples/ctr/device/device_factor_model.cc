#include "examples/ctr/device/device_factor_model.h"

namespace longtail::examples {
namespace {

bool HasPairs(ModelKind kind) {
  return kind == ModelKind::kFm || kind == ModelKind::kDeepFm;
}
bool HasMlp(ModelKind kind) {
  return kind == ModelKind::kWideDeep || kind == ModelKind::kDeepFm;
}

}  // namespace

DeviceFactorModel::DeviceFactorModel(const ModelSpec& spec, const ParameterLayout& layout,
                                     const DeviceCut& cut, DeviceArena& arena)
    : DeviceModel(spec, layout, cut, arena),
      has_pairs_(HasPairs(KindOf(spec))),
      numeric_vectors_(has_pairs_ && spec.numeric_embedding ? spec.numeric_count : 0),
      columns_(embedding_columns()) {
  if (spec.numeric_count > 0) numeric_head_.emplace(layout, "numeric", spec.numeric_count);
  if (numeric_vectors_ > 0) numeric_offset_ = OffsetOf(layout, "numeric.embedding");
  if (HasMlp(KindOf(spec))) {
    columns_ += spec.numeric_count;
    mlp_.emplace(
        DeviceMlpSpec{
            .name = "mlp", .inputs = columns_, .hidden = spec.hidden, .dropout = spec.dropout},
        layout, cut, arena);
    mlp_head_.emplace(layout, "mlp.logit", mlp_->outputs());
  }
  x_ = arena.Take(cut.rows_max * columns_);
  dx_ = arena.Take(cut.rows_max * columns_);
  pair_sums_ = arena.Take(has_pairs_ ? cut.rows_max * dim() : 0);
}

device::SharedVectors DeviceFactorModel::NumericVectors(const DevicePass& pass,
                                                        RowBlock block) const {
  if (numeric_vectors_ == 0) return {};
  return {.vectors = pass.parameters + numeric_offset_,
          .scales = Numbers(block).data,
          .count = numeric_vectors_};
}

void DeviceFactorModel::ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) {
  const Matrix x = Inputs(x_, block);
  const Matrix numbers = Numbers(block);
  Gather(pass, block, x.Columns(0, embedding_columns()), logits);
  if (has_pairs_) {
    pass.stream->Launch(device::PairSumsCall{.v = x.data,
                                             .sums = pair_sums_ + block.begin * dim(),
                                             .logits = logits,
                                             .shared = NumericVectors(pass, block),
                                             .examples = static_cast<std::uint32_t>(block.count),
                                             .fields = spec().field_count,
                                             .dim = dim(),
                                             .v_stride = static_cast<std::uint32_t>(columns_)});
  }
  if (numeric_head_) numeric_head_->Forward(pass, numbers, logits);
  if (!mlp_) return;
  if (numbers.columns > 0) {
    EnqueuePlace(pass, identity(), numbers, x.Columns(embedding_columns(), numbers.columns));
  }
  mlp_->Forward(pass, block, x);
  mlp_head_->Forward(pass, mlp_->Output(block), logits);
}

void DeviceFactorModel::BackwardBlock(const DevicePass& pass, RowBlock block,
                                      const float* logit_gradients) {
  const Matrix x = Inputs(x_, block);
  const Matrix dx = Inputs(dx_, block);
  if (mlp_) {
    mlp_head_->InputGradients(pass, logit_gradients, mlp_->OutputGradients(block));
    mlp_->Backward(pass, block, x, dx);
  } else {
    pass.stream->Fill(dx.data, 0, dx.rows * dx.columns * sizeof(float));
  }
  AddBiasGradients(pass, block, logit_gradients);
  if (has_pairs_) {
    pass.stream->Launch(
        device::PairGradientsCall{.v = x.data,
                                  .sums = pair_sums_ + block.begin * dim(),
                                  .logit_gradients = logit_gradients,
                                  .dv = dx.data,
                                  .examples = static_cast<std::uint32_t>(block.count),
                                  .fields = spec().field_count,
                                  .dim = dim(),
                                  .v_stride = static_cast<std::uint32_t>(columns_),
                                  .dv_stride = static_cast<std::uint32_t>(columns_)});
  }
  if (dim() != 0) DropGradients(pass, block, dx.Columns(0, embedding_columns()));
}

void DeviceFactorModel::AddWholeGradients(const DevicePass& pass, const float* logit_gradients) {
  const RowBlock all{0, room().shape().examples};
  if (mlp_) mlp_head_->AddGradients(pass, cut(), mlp_->Output(all), logit_gradients);
  if (numeric_head_) numeric_head_->AddGradients(pass, cut(), Numbers(all), logit_gradients);
  if (numeric_vectors_ == 0) return;
  const device::SharedGradientPartsCall parts{.shared = NumericVectors(pass, all),
                                              .sums = pair_sums_,
                                              .logit_gradients = logit_gradients,
                                              .parts = pass.scratch,
                                              .examples = static_cast<std::uint32_t>(all.count),
                                              .dim = dim(),
                                              .part_rows = cut().head_part_rows};
  pass.stream->Launch(parts);
  pass.stream->Launch(device::AddPartsCall{.parts = pass.scratch,
                                           .sums = pass.gradients + numeric_offset_,
                                           .part_count = parts.PartCount(),
                                           .columns = numeric_vectors_ * dim()});
}

}  // namespace longtail::examples
