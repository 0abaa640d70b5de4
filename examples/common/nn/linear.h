// A fully connected layer, y = x W + b, with an optional ReLU in the same pass.
#pragma once

#include <cstdint>
#include <string>

#include "examples/common/nn/gemm.h"
#include "examples/common/nn/matrix.h"
#include "examples/common/nn/parameters.h"

namespace longtail::examples {

/// What follows the product of a linear layer.
enum class LinearEnd : std::uint8_t {
  kNothing,   ///< y = x W: batch norm follows, whose shift is the bias.
  kBias,      ///< y = x W + b.
  kBiasRelu,  ///< y = max(x W + b, 0).
};

struct LinearSpec {
  std::string name;  ///< Tensors are "<name>.weight" and "<name>.bias".
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  LinearEnd end = LinearEnd::kBias;
};

/// Holds no values: parameters and gradients are flat buffers of the layout it was declared in.
///
/// Weights are [inputs, outputs], He-uniform before a ReLU, Xavier-uniform otherwise; biases zero.
class Linear {
 public:
  /// Declares the layer's tensors in `layout`.
  Linear(const LinearSpec& spec, ParameterLayout& layout);

  /// Shapes: parameters [layout.size()]; x [n, inputs]; y [n, outputs].
  void Forward(const Gemm& gemm, const float* parameters, ConstMatrix x, Matrix y) const;

  /// Adds to the weights' gradient. `dy` is the gradient before the ReLU.
  ///
  /// Shapes: x [n, inputs]; dy [n, outputs]; gradients [layout.size()].
  void AddWeightGradients(const Gemm& gemm, ConstMatrix x, ConstMatrix dy, float* gradients) const;

  /// dx = dy W^T. Shapes: dy [n, outputs]; dx [n, inputs].
  void InputGradients(const Gemm& gemm, const float* parameters, ConstMatrix dy, Matrix dx) const;

  bool has_bias() const { return end_ != LinearEnd::kNothing; }

  /// Where the bias's gradients are summed; only if has_bias.
  float* bias_gradients(float* gradients) const { return gradients + bias_offset_; }

 private:
  ConstMatrix Weights(const float* parameters) const {
    return {parameters + weight_offset_, inputs_, outputs_, outputs_};
  }

  std::size_t inputs_;
  std::size_t outputs_;
  LinearEnd end_;
  std::size_t weight_offset_ = 0;
  std::size_t bias_offset_ = 0;
};

}  // namespace longtail::examples
