#include "examples/common/nn/linear.h"

#include "examples/common/nn/relu.h"

namespace longtail::examples {

Linear::Linear(const LinearSpec& spec, ParameterLayout& layout)
    : inputs_(spec.inputs), outputs_(spec.outputs), end_(spec.end) {
  const InitializerKind kind =
      spec.end == LinearEnd::kBias ? InitializerKind::kXavierUniform : InitializerKind::kHeUniform;
  weight_offset_ = layout.Add({.name = spec.name + ".weight",
                               .shape = {inputs_, outputs_},
                               .initializer = {.kind = kind, .scale = 1},
                               .decay = Decay::kYes});
  if (!has_bias()) return;
  bias_offset_ = layout.Add({.name = spec.name + ".bias", .shape = {outputs_}, .initializer = {}});
}

void Linear::Forward(const Gemm& gemm, const float* parameters, ConstMatrix x, Matrix y) const {
  gemm.Multiply({.a = x, .b = Weights(parameters), .c = y});
  const float* bias = parameters + bias_offset_;
  if (end_ == LinearEnd::kBias) AddBias(bias, y);
  if (end_ == LinearEnd::kBiasRelu) AddBiasRelu(bias, y);
}

void Linear::AddWeightGradients(const Gemm& gemm, ConstMatrix x, ConstMatrix dy,
                                float* gradients) const {
  gemm.Begin({.transpose_a = Transpose::kYes,
              .a = x,
              .b = dy,
              .c = {gradients + weight_offset_, inputs_, outputs_, outputs_},
              .beta = 1});
}

void Linear::InputGradients(const Gemm& gemm, const float* parameters, ConstMatrix dy,
                            Matrix dx) const {
  gemm.Multiply({.transpose_b = Transpose::kYes, .a = dy, .b = Weights(parameters), .c = dx});
}

}  // namespace longtail::examples
