#include "examples/ctr/models/factor_model.h"

#include <algorithm>
#include <array>

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/fixed_dim.h"
#include "examples/common/nn/fm_interaction.h"
#include "examples/common/nn/relu.h"

namespace longtail::examples {
namespace {

static_assert(kEmbeddingDimMax <= kFmDimMax);

// Examples whose rows are gathered, or whose gradients are scattered, at a time: they are still in
// the first-level cache when the pairs are summed.
constexpr std::size_t kChunkRows = 8;

bool HasPairs(ModelKind kind) {
  return kind == ModelKind::kFm || kind == ModelKind::kDeepFm;
}
bool HasMlp(ModelKind kind) {
  return kind == ModelKind::kWideDeep || kind == ModelKind::kDeepFm;
}

template <typename ChunkFunction>
void ForEachChunk(RowBlock block, ChunkFunction&& f) {
  for (std::size_t i = 0; i < block.count; i += kChunkRows) {
    f(i, RowBlock{block.begin + i, std::min(kChunkRows, block.count - i)});
  }
}

}  // namespace

FactorModel::FactorModel(const ModelSpec& spec)
    : Model(spec),
      has_pairs_(HasPairs(KindOf(spec))),
      dim_(KindOf(spec) == ModelKind::kLr ? 0 : spec.dim),
      numeric_vectors_(has_pairs_ && spec.numeric_embedding ? spec.numeric_count : 0),
      bias_offset_(layout_.Add({.name = "bias", .shape = {1}, .initializer = {}})),
      embedding_dropout_(spec.embedding_dropout, NameBits("embeddings")) {
  const std::size_t rows = spec.batch_max;
  const std::size_t block = std::min(block_rows(), rows);
  if (spec.numeric_count > 0) {
    numeric_head_.emplace("numeric", spec.numeric_count, Initializer{}, layout_);
  }
  if (numeric_vectors_ > 0) {
    // About as small as embeddings begin: pairs of large vectors would drown the linear part.
    numeric_offset_ =
        layout_.Add({.name = "numeric.embedding",
                     .shape = {numeric_vectors_, dim_},
                     .initializer = {.kind = InitializerKind::kUniform, .scale = 0.01F},
                     .decay = Decay::kYes});
  }
  if (has_pairs_) pair_sums_ = MatrixBuffer(rows, dim_);
  const bool has_mlp = HasMlp(KindOf(spec));
  const std::size_t columns = embedding_columns() + (has_mlp ? spec.numeric_count : 0);
  x_ = MatrixBuffer(rows, columns);
  dx_ = MatrixBuffer(block, columns);
  if (!has_mlp) return;
  mlp_.emplace(HiddenSpec("mlp", columns), layout_, state_layout_);
  mlp_head_.emplace("mlp.logit", mlp_->outputs(),
                    Initializer{.kind = InitializerKind::kXavierUniform, .scale = 1}, layout_);
  hidden_ = MatrixBuffer(rows, mlp_->outputs());
  dhidden_ = MatrixBuffer(block, mlp_->outputs());
}

void FactorModel::ForwardBlock(RowBlock block, float* logits) {
  const float bias = parameters()[bias_offset_];
  ForEachChunk(block, [&](std::size_t i, RowBlock rows) {
    const Matrix x = x_.view().Rows(rows.begin, rows.count);
    const Matrix embeddings = x.Columns(0, embedding_columns());
    std::fill_n(logits + i, rows.count, bias);
    gather().Gather(input(), single_valued(), rows, embeddings, logits + i);
    if (embedding_dropout_.active(context())) {
      embedding_dropout_.Apply(context(), rows.begin, embeddings);
    }
    if (has_pairs_) ForwardPairs(rows, logits + i);
    const ConstMatrix numbers = NumericRows(rows);
    if (numeric_head_) numeric_head_->Forward(parameters(), numbers, logits + i);
    if (!mlp_) return;
    for (std::size_t r = 0; r < rows.count; ++r) {
      std::copy_n(numbers.row(r), numbers.columns, x.row(r) + embedding_columns());
    }
  });
  if (!mlp_) return;
  const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
  mlp_->Forward(gemm(), context(), MlpState(), block, x_.view().Rows(block.begin, block.count),
                hidden);
  mlp_head_->Forward(parameters(), hidden, logits);
}

void FactorModel::ForwardPairs(RowBlock rows, float* logits) {
  WithFixedDim(dim_, [&](auto fixed) {
    constexpr std::size_t kDim = decltype(fixed)::value;
    std::array<float, kDim == 0 ? kFmDimMax : kDim> squares;
    const Matrix x = x_.view().Rows(rows.begin, rows.count);
    const ConstMatrix numbers = NumericRows(rows);
    for (std::size_t r = 0; r < rows.count; ++r) {
      float* sums = pair_sums_.view().row(rows.begin + r);
      std::fill_n(sums, dim_, 0.0F);
      std::fill_n(squares.data(), dim_, 0.0F);
      FmAccumulate<kDim>(x.row(r), nullptr, spec().field_count, dim_, sums, squares.data());
      if (numeric_vectors_ > 0) {
        FmAccumulate<kDim>(parameters() + numeric_offset_, numbers.row(r), numeric_vectors_, dim_,
                           sums, squares.data());
      }
      logits[r] += FmValue<kDim>(sums, squares.data(), dim_);
    }
  });
}

void FactorModel::BackwardBlock(RowBlock block, const float* logit_gradients,
                                std::span<float> row_gradients, float* gradients) {
  const Matrix dx = dx_.view().Rows(0, block.count);
  if (mlp_) {
    const Matrix hidden = hidden_.view().Rows(block.begin, block.count);
    const Matrix dhidden = dhidden_.view().Rows(0, block.count);
    mlp_head_->AddWeightGradients(hidden, logit_gradients, gradients);
    mlp_head_->InputGradients(parameters(), logit_gradients, dhidden);
    mlp_->Backward(gemm(), context(), parameters(), block, x_.view().Rows(block.begin, block.count),
                   hidden, dhidden, dx, gradients);
  }

  AddColumnSums({logit_gradients, block.count, 1, 1}, gradients + bias_offset_);
  if (numeric_head_) {
    numeric_head_->AddWeightGradients(NumericRows(block), logit_gradients, gradients);
  }
  ForEachChunk(block, [&](std::size_t i, RowBlock rows) {
    const Matrix embeddings = dx.Rows(i, rows.count).Columns(0, embedding_columns());
    if (!mlp_) {
      for (std::size_t r = 0; r < rows.count; ++r) {
        std::fill_n(embeddings.row(r), embeddings.columns, 0.0F);
      }
    }
    if (has_pairs_) BackwardPairs(rows, logit_gradients + i, embeddings, gradients);
    if (embedding_dropout_.active(context())) {
      embedding_dropout_.Apply(context(), rows.begin, embeddings);
    }
    gather().Scatter(input(), single_valued(), rows, embeddings, logit_gradients + i,
                     row_gradients);
  });
}

void FactorModel::BackwardPairs(RowBlock rows, const float* logit_gradients,
                                Matrix embedding_gradients, float* gradients) {
  WithFixedDim(dim_, [&](auto fixed) {
    constexpr std::size_t kDim = decltype(fixed)::value;
    const Matrix x = x_.view().Rows(rows.begin, rows.count);
    const ConstMatrix numbers = NumericRows(rows);
    for (std::size_t r = 0; r < rows.count; ++r) {
      const float* sums = pair_sums_.view().row(rows.begin + r);
      FmBackward<kDim>(x.row(r), sums, logit_gradients[r], spec().field_count, dim_,
                       embedding_gradients.row(r));
      if (numeric_vectors_ > 0) {
        FmScaledBackward<kDim>(parameters() + numeric_offset_, numbers.row(r), sums,
                               logit_gradients[r], numeric_vectors_, dim_,
                               gradients + numeric_offset_);
      }
    }
  });
}

}  // namespace longtail::examples
