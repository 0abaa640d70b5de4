#include "examples/ctr/models/dcn_v2.h"

#include <algorithm>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/relu.h"

namespace longtail::examples {
namespace {

constexpr Initializer kHeadInitializer = {.kind = InitializerKind::kXavierUniform, .scale = 1};

std::size_t InputColumns(const ModelSpec& spec) {
  return std::size_t{spec.field_count} * spec.dim + spec.numeric_count;
}

}  // namespace

DcnV2::DcnV2(const ModelSpec& spec)
    : Model(spec),
      bias_offset_(layout_.Add({.name = "bias", .shape = {1}, .initializer = {}})),
      cross_({.name = "cross",
              .width = InputColumns(spec),
              .layers = spec.cross_layers,
              .row_count_max = spec.batch_max,
              .block_row_count_max = std::min(block_rows(), spec.batch_max)},
             layout_),
      cross_head_("cross.logit", InputColumns(spec), kHeadInitializer, layout_),
      mlp_(HiddenSpec("mlp", InputColumns(spec)), layout_, state_layout_),
      mlp_head_("mlp.logit", mlp_.outputs(), kHeadInitializer, layout_),
      embedding_dropout_(spec.embedding_dropout, NameBits("embeddings")),
      x_(spec.batch_max, InputColumns(spec)),
      hidden_(spec.batch_max, mlp_.outputs()),
      dx_(std::min(block_rows(), spec.batch_max), InputColumns(spec)),
      dcross_(std::min(block_rows(), spec.batch_max), InputColumns(spec)),
      dhidden_(std::min(block_rows(), spec.batch_max), mlp_.outputs()) {}

void DcnV2::ForwardBlock(RowBlock block, float* logits) {
  const Matrix x = x_.view().Rows(block.begin, block.count);
  const Matrix embeddings = x.Columns(0, embedding_columns());
  const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
  const ConstMatrix numbers = NumericRows(block);
  std::fill_n(logits, block.count, parameters()[bias_offset_]);
  gather().Gather(input(), single_valued(), block, embeddings, has_linear() ? logits : nullptr);
  if (embedding_dropout_.active(context())) {
    embedding_dropout_.Apply(context(), block.begin, embeddings);
  }
  for (std::size_t i = 0; i < block.count; ++i) {
    std::copy_n(numbers.row(i), numbers.columns, x.row(i) + embedding_columns());
  }
  cross_.Forward(gemm(), parameters(), block, x);
  mlp_.Forward(gemm(), context(), MlpState(), block, x, hidden);
  cross_head_.Forward(parameters(), cross_.Output(block), logits);
  mlp_head_.Forward(parameters(), hidden, logits);
}

void DcnV2::BackwardBlock(RowBlock block, const float* logit_gradients,
                          std::span<float> row_gradients, float* gradients) {
  const Matrix x = x_.view().Rows(block.begin, block.count);
  const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
  const Matrix dx = dx_.view().Rows(0, block.count);
  const Matrix dcross = dcross_.view().Rows(0, block.count);
  const Matrix dhidden = dhidden_.view().Rows(0, block.count);

  AddColumnSums({logit_gradients, block.count, 1, 1}, gradients + bias_offset_);
  mlp_head_.AddWeightGradients(hidden, logit_gradients, gradients);
  mlp_head_.InputGradients(parameters(), logit_gradients, dhidden);
  mlp_.Backward(gemm(), context(), parameters(), block, x, hidden, dhidden, dx, gradients);
  cross_head_.AddWeightGradients(cross_.Output(block), logit_gradients, gradients);
  cross_head_.InputGradients(parameters(), logit_gradients, dcross);
  cross_.Backward(gemm(), parameters(), block, x, dcross, dx, gradients);

  const Matrix embeddings = dx.Columns(0, embedding_columns());
  if (embedding_dropout_.active(context())) {
    embedding_dropout_.Apply(context(), block.begin, embeddings);
  }
  gather().Scatter(input(), single_valued(), block, embeddings,
                   has_linear() ? logit_gradients : nullptr, row_gradients);
}

}  // namespace longtail::examples
