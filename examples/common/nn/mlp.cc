#include "examples/common/nn/mlp.h"

#include "examples/common/nn/counter_random.h"
#include "examples/common/nn/relu.h"

namespace longtail::examples {

Mlp::Mlp(const MlpSpec& spec, ParameterLayout& parameters, ParameterLayout& state)
    : hidden_(spec.hidden) {
  std::size_t inputs = spec.inputs;
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const std::string name = spec.name + "." + std::to_string(l);
    linears_.emplace_back(
        LinearSpec{.name = name,
                   .inputs = inputs,
                   .outputs = hidden_[l],
                   .end = spec.batch_norm ? LinearEnd::kNothing : LinearEnd::kBiasRelu},
        parameters);
    if (spec.batch_norm) {
      norms_.emplace_back(name + ".norm", hidden_[l], spec.row_count_max, parameters, state);
    }
    dropouts_.emplace_back(spec.dropout, NameBits(name));
    if (l + 1 < hidden_.size()) {
      activations_.emplace_back(spec.row_count_max, hidden_[l]);
      gradients_.emplace_back(spec.block_row_count_max, hidden_[l]);
    }
    inputs = hidden_[l];
  }
}

void Mlp::Forward(const Gemm& gemm, const StepContext& context, const MlpForwardState& flat,
                  RowBlock block, ConstMatrix x, Matrix y) {
  for (std::size_t l = 0; l < linears_.size(); ++l) {
    const bool last = l + 1 == linears_.size();
    const Matrix out = last ? y : activations_[l].view().Rows(block.begin, block.count);
    linears_[l].Forward(gemm, flat.parameters, x, out);
    if (!norms_.empty()) {
      if (context.training) {
        norms_[l].ForwardTraining(flat.parameters, out, flat.state_update);
      } else {
        norms_[l].ForwardEvaluation(flat.parameters, flat.state, out);
      }
      Relu(out);
    }
    if (dropouts_[l].active(context)) dropouts_[l].Apply(context, block.begin, out);
    x = out;
  }
}

void Mlp::Backward(const Gemm& gemm, const StepContext& context, const float* parameters,
                   RowBlock block, ConstMatrix x, ConstMatrix y, Matrix dy, Matrix dx,
                   float* gradients) {
  for (std::size_t l = linears_.size(); l-- > 0;) {
    const float scale = dropouts_[l].active(context) ? dropouts_[l].scale() : 1;
    if (norms_.empty()) {
      ReluBackward(y, scale, dy, linears_[l].bias_gradients(gradients));
    } else {
      ReluBackward(y, scale, dy);
      norms_[l].Backward(parameters, dy, gradients);
    }
    const ConstMatrix in =
        l == 0 ? x : ConstMatrix(activations_[l - 1].view().Rows(block.begin, block.count));
    linears_[l].AddWeightGradients(gemm, in, dy, gradients);
    const Matrix din = l == 0 ? dx : gradients_[l - 1].view().Rows(0, block.count);
    if (din.data != nullptr) linears_[l].InputGradients(gemm, parameters, dy, din);
    y = in;
    dy = din;
  }
}

}  // namespace longtail::examples
