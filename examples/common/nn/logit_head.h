// The last step of a model: one weighted sum of a row of features, added to the row's logit.
#pragma once

#include <string>

#include "examples/common/nn/matrix.h"
#include "examples/common/nn/parameters.h"

namespace longtail::examples {

/// logit += x . w. A product with one column is no work for a GEMM; these loops are blocked by
/// hand.
class LogitHead {
 public:
  /// Declares "<name>.weight" [inputs, 1].
  LogitHead(const std::string& name, std::size_t inputs, Initializer initializer,
            ParameterLayout& layout);

  /// Shapes: x [n, inputs]; logits [n], added to.
  void Forward(const float* parameters, ConstMatrix x, float* logits) const;

  /// Shapes: x [n, inputs]; logit_gradients [n]; gradients [layout.size()], added to.
  void AddWeightGradients(ConstMatrix x, const float* logit_gradients, float* gradients) const;

  /// dx = logit_gradient * w, row by row. Shapes: dx [n, inputs].
  void InputGradients(const float* parameters, const float* logit_gradients, Matrix dx) const;

 private:
  std::size_t inputs_;
  std::size_t offset_;
};

}  // namespace longtail::examples
