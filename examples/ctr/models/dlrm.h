// DLRM: numbers through a bottom MLP, dot products of all pairs of vectors, a top MLP.
#pragma once

#include <span>

#include "examples/common/nn/dot_interaction.h"
#include "examples/common/nn/dropout.h"
#include "examples/common/nn/logit_head.h"
#include "examples/common/nn/mlp.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {

/// logit = bias + w . top(interaction([bottom(numbers), embeddings])).
///
/// Source: Naumov et al., "Deep learning recommendation model for personalization and
///         recommendation systems", 2019; ReLU behind every hidden layer, the bottom's last too.
class Dlrm final : public Model {
 public:
  explicit Dlrm(const ModelSpec& spec);

 private:
  void ForwardBlock(RowBlock block, float* logits) override;
  void BackwardBlock(RowBlock block, const float* logit_gradients, std::span<float> row_gradients,
                     float* gradients) override;
  std::size_t embedding_columns() const { return std::size_t{spec().field_count} * spec().dim; }

  std::size_t bias_offset_;
  Mlp bottom_;
  DotInteraction interaction_;
  Mlp top_;
  LogitHead head_;
  Dropout embedding_dropout_;
  MatrixBuffer vectors_;     ///< [batch_max, (1 + field_count) * dim]: bottom's output, embeddings.
  MatrixBuffer top_input_;   ///< [batch_max, interaction outputs].
  MatrixBuffer hidden_;      ///< [batch_max, last hidden width].
  MatrixBuffer dvectors_;    ///< [block rows, as vectors].
  MatrixBuffer dtop_input_;  ///< [block rows, as top_input].
  MatrixBuffer dhidden_;     ///< [block rows, as hidden].
};

}  // namespace longtail::examples
