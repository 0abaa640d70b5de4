// LR, FM, Wide & Deep and DeepFM: one sum of a linear part, pairs and an MLP, as the kind has them.
#pragma once

#include <optional>
#include <span>

#include "examples/common/nn/dropout.h"
#include "examples/common/nn/logit_head.h"
#include "examples/common/nn/mlp.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {

/// logit = bias + sum of linear weights + numbers . weights      all kinds
///       + sum over pairs of fields of v_i . v_j                 fm, deepfm
///       + MLP([embeddings, numbers])                            wide_deep, deepfm
///
/// With numeric_embedding each number, times a dense vector of its own, is one more v of the pairs
/// (and only there). Keys of one field are pooled first and do not pair with each other.
///
/// Source: Rendle, "Factorization machines", ICDM 2010; Cheng et al., "Wide & deep learning for
///         recommender systems", DLRS 2016; Guo et al., "DeepFM", IJCAI 2017.
class FactorModel final : public Model {
 public:
  explicit FactorModel(const ModelSpec& spec);

 private:
  void ForwardBlock(RowBlock block, float* logits) override;
  void BackwardBlock(RowBlock block, const float* logit_gradients, std::span<float> row_gradients,
                     float* gradients) override;
  void ForwardPairs(RowBlock rows, float* logits);
  void BackwardPairs(RowBlock rows, const float* logit_gradients, Matrix embedding_gradients,
                     float* gradients);
  std::size_t embedding_columns() const { return spec().field_count * dim_; }

  bool has_pairs_;
  std::size_t dim_;
  std::size_t numeric_vectors_;  ///< Numbers with a vector in the pairs: all or none.
  std::size_t bias_offset_;
  std::size_t numeric_offset_ = 0;
  std::optional<LogitHead> numeric_head_;
  std::optional<Mlp> mlp_;
  std::optional<LogitHead> mlp_head_;
  Dropout embedding_dropout_;
  MatrixBuffer x_;          ///< [batch_max, embeddings and numbers].
  MatrixBuffer hidden_;     ///< [batch_max, last hidden width].
  MatrixBuffer pair_sums_;  ///< [batch_max, dim] sums over the vectors of the pairs.
  MatrixBuffer dx_;         ///< [block rows, as x].
  MatrixBuffer dhidden_;    ///< [block rows, as hidden].
};

}  // namespace longtail::examples
