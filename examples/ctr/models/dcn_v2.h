// DCN-v2: a cross network beside an MLP, their outputs weighted into one logit.
#pragma once

#include <span>

#include "examples/common/nn/cross_network.h"
#include "examples/common/nn/dropout.h"
#include "examples/common/nn/logit_head.h"
#include "examples/common/nn/mlp.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {

/// logit = bias + w . [cross(x), MLP(x)] with x = [embeddings, numbers].
///
/// Source: Wang et al., "DCN V2: improved deep & cross network", WWW 2021, the parallel structure.
class DcnV2 final : public Model {
 public:
  explicit DcnV2(const ModelSpec& spec);

 private:
  void ForwardBlock(RowBlock block, float* logits) override;
  void BackwardBlock(RowBlock block, const float* logit_gradients, std::span<float> row_gradients,
                     float* gradients) override;
  std::size_t embedding_columns() const { return std::size_t{spec().field_count} * spec().dim; }

  std::size_t bias_offset_;
  CrossNetwork cross_;
  LogitHead cross_head_;
  Mlp mlp_;
  LogitHead mlp_head_;
  Dropout embedding_dropout_;
  MatrixBuffer x_;        ///< [batch_max, embeddings and numbers].
  MatrixBuffer hidden_;   ///< [batch_max, last hidden width].
  MatrixBuffer dx_;       ///< [block rows, as x].
  MatrixBuffer dcross_;   ///< [block rows, as x].
  MatrixBuffer dhidden_;  ///< [block rows, as hidden].
};

}  // namespace longtail::examples
