#include "examples/ctr/models/dlrm.h"

#include <algorithm>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/relu.h"

namespace longtail::examples {
namespace {

std::size_t VectorCount(const ModelSpec& spec) {
  return std::size_t{spec.field_count} + 1;
}

// The bottom's dropout is none: its last layer is one of the vectors that interact.
MlpSpec BottomSpec(const ModelSpec& spec, MlpSpec like_top) {
  like_top.hidden = spec.bottom;
  like_top.dropout = 0;
  return like_top;
}

}  // namespace

Dlrm::Dlrm(const ModelSpec& spec)
    : Model(spec),
      bias_offset_(layout_.Add({.name = "bias", .shape = {1}, .initializer = {}})),
      bottom_(BottomSpec(spec, HiddenSpec("bottom", spec.numeric_count)), layout_, state_layout_),
      interaction_(VectorCount(spec), spec.dim),
      top_(HiddenSpec("top", interaction_.outputs()), layout_, state_layout_),
      head_("top.logit", top_.outputs(), {.kind = InitializerKind::kXavierUniform, .scale = 1},
            layout_),
      embedding_dropout_(spec.embedding_dropout, NameBits("embeddings")),
      vectors_(spec.batch_max, VectorCount(spec) * spec.dim),
      top_input_(spec.batch_max, interaction_.outputs()),
      hidden_(spec.batch_max, top_.outputs()),
      dvectors_(std::min(block_rows(), spec.batch_max), VectorCount(spec) * spec.dim),
      dtop_input_(std::min(block_rows(), spec.batch_max), interaction_.outputs()),
      dhidden_(std::min(block_rows(), spec.batch_max), top_.outputs()) {}

void Dlrm::ForwardBlock(RowBlock block, float* logits) {
  const Matrix vectors = vectors_.view().Rows(block.begin, block.count);
  const Matrix embeddings = vectors.Columns(spec().dim, embedding_columns());
  const Matrix top_input = top_input_.view().Rows(block.begin, block.count);
  const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
  bottom_.Forward(gemm(), context(), MlpState(), block, NumericRows(block),
                  vectors.Columns(0, spec().dim));
  gather().Gather(input(), single_valued(), block, embeddings, nullptr);
  if (embedding_dropout_.active(context())) {
    embedding_dropout_.Apply(context(), block.begin, embeddings);
  }
  interaction_.Forward(vectors, top_input);
  top_.Forward(gemm(), context(), MlpState(), block, top_input, hidden);
  std::fill_n(logits, block.count, parameters()[bias_offset_]);
  head_.Forward(parameters(), hidden, logits);
}

void Dlrm::BackwardBlock(RowBlock block, const float* logit_gradients,
                         std::span<float> row_gradients, float* gradients) {
  const Matrix vectors = vectors_.view().Rows(block.begin, block.count);
  const Matrix top_input = top_input_.view().Rows(block.begin, block.count);
  const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
  const Matrix dvectors = dvectors_.view().Rows(0, block.count);
  const Matrix dtop_input = dtop_input_.view().Rows(0, block.count);
  const Matrix dhidden = dhidden_.view().Rows(0, block.count);

  AddColumnSums({logit_gradients, block.count, 1, 1}, gradients + bias_offset_);
  head_.AddWeightGradients(hidden, logit_gradients, gradients);
  head_.InputGradients(parameters(), logit_gradients, dhidden);
  top_.Backward(gemm(), context(), parameters(), block, top_input, hidden, dhidden, dtop_input,
                gradients);
  interaction_.Backward(vectors, dtop_input, dvectors);

  const Matrix embeddings = dvectors.Columns(spec().dim, embedding_columns());
  if (embedding_dropout_.active(context())) {
    embedding_dropout_.Apply(context(), block.begin, embeddings);
  }
  gather().Scatter(input(), single_valued(), block, embeddings, nullptr, row_gradients);
  bottom_.Backward(gemm(), context(), parameters(), block, NumericRows(block),
                   vectors.Columns(0, spec().dim), dvectors.Columns(0, spec().dim), Matrix(),
                   gradients);
}

}  // namespace longtail::examples
