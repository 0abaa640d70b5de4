// The cross network of DCN-v2 with full weight matrices.
#pragma once

#include <string>
#include <vector>

#include "examples/common/nn/linear.h"
#include "examples/common/nn/row_block.h"

namespace longtail::examples {

struct CrossSpec {
  std::string name;  ///< Layers are "<name>.0", "<name>.1", ...
  std::size_t width = 0;
  std::size_t layers = 0;  ///< At least one.
  std::size_t row_count_max = 0;
  std::size_t block_row_count_max = 0;
};

/// x_{l+1} = x_0 * (x_l W_l + b_l) + x_l, * element by element.
///
/// Source: Wang et al., "DCN V2: improved deep & cross network", WWW 2021, eq. 1.
/// Cost:   no allocation after construction.
class CrossNetwork {
 public:
  CrossNetwork(const CrossSpec& spec, ParameterLayout& layout);

  /// Computes Output(block). Shapes: x0 [block.count, width].
  void Forward(const Gemm& gemm, const float* parameters, RowBlock block, ConstMatrix x0);

  /// x_L of the last Forward of these rows, [block.count, width].
  ConstMatrix Output(RowBlock block) {
    return outputs_.back().view().Rows(block.begin, block.count);
  }

  /// Adds to `gradients` and to dx0. Overwrites dy.
  ///
  /// Shapes: x0 as in Forward; dy, dx0 [block.count, width]; gradients [layout.size()].
  void Backward(const Gemm& gemm, const float* parameters, RowBlock block, ConstMatrix x0,
                Matrix dy, Matrix dx0, float* gradients);

 private:
  std::vector<Linear> linears_;
  std::vector<MatrixBuffer> products_;  ///< u_l = x_l W_l + b_l, [row_count_max, width].
  std::vector<MatrixBuffer> outputs_;   ///< x_{l+1}, [row_count_max, width].
  MatrixBuffer product_gradients_;      ///< [block_row_count_max, width].
  MatrixBuffer input_gradients_;        ///< [block_row_count_max, width].
};

}  // namespace longtail::examples
