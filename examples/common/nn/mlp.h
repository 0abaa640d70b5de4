// A stack of hidden layers: linear, batch norm if wanted, ReLU, dropout if wanted.
//
// Works on blocks of rows of a micro-batch, so that a block's activations and gradients stay in the
// cache from layer to layer. Batch norm needs all rows at once: its block is the micro-batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/common/nn/batch_norm.h"
#include "examples/common/nn/dropout.h"
#include "examples/common/nn/linear.h"
#include "examples/common/nn/row_block.h"

namespace longtail::examples {

struct MlpSpec {
  std::string name;  ///< Layers are "<name>.0", "<name>.1", ...
  std::size_t inputs = 0;
  std::vector<std::uint32_t> hidden;  ///< Widths of the layers, at least one.
  float dropout = 0;
  bool batch_norm = false;
  std::size_t row_count_max = 0;        ///< Of a micro-batch.
  std::size_t block_row_count_max = 0;  ///< Of a call; row_count_max with batch norm.
};

/// The flat buffers of a pass.
struct MlpForwardState {
  const float* parameters = nullptr;  ///< [parameters.size()].
  const float* state = nullptr;       ///< [state.size()] running statistics, read in evaluation.
  float* state_update = nullptr;      ///< [state.size()] statistics, written in training.
};

/// Owns activations; parameters, state and gradients are flat buffers of the layouts.
///
/// Cost:   no allocation after construction.
class Mlp {
 public:
  Mlp(const MlpSpec& spec, ParameterLayout& parameters, ParameterLayout& state);

  /// Shapes: x [block.count, inputs]; y [block.count, last hidden width].
  void Forward(const Gemm& gemm, const StepContext& context, const MlpForwardState& flat,
               RowBlock block, ConstMatrix x, Matrix y);

  /// Adds to `gradients` and writes dx, unless its data is null. Overwrites dy.
  ///
  /// Shapes: x, y as they were in Forward; dy as y; dx as x; gradients [parameters.size()].
  void Backward(const Gemm& gemm, const StepContext& context, const float* parameters,
                RowBlock block, ConstMatrix x, ConstMatrix y, Matrix dy, Matrix dx,
                float* gradients);

  std::size_t outputs() const { return hidden_.back(); }

 private:
  std::vector<std::uint32_t> hidden_;
  std::vector<Linear> linears_;
  std::vector<BatchNorm> norms_;           ///< Empty, or one a layer.
  std::vector<Dropout> dropouts_;          ///< One a layer.
  std::vector<MatrixBuffer> activations_;  ///< [row_count_max, width], of all layers but the last.
  std::vector<MatrixBuffer> gradients_;    ///< [block_row_count_max, width], likewise.
};

}  // namespace longtail::examples
