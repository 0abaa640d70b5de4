#include "examples/common/nn/cross_network.h"

#include "examples/common/nn/relu.h"

namespace longtail::examples {
namespace {

// y = x0 * u + x.
void Cross(ConstMatrix x0, ConstMatrix u, ConstMatrix x, Matrix y) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    const float* __restrict base = x0.row(i);
    const float* __restrict product = u.row(i);
    const float* input = x.row(i);  // May be x0 itself.
    float* __restrict output = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) output[j] = base[j] * product[j] + input[j];
  }
}

// du = dy * x0; dx0 += dy * u.
void CrossBackward(ConstMatrix x0, ConstMatrix u, ConstMatrix dy, Matrix du, Matrix dx0) {
  for (std::size_t i = 0; i < dy.rows; ++i) {
    const float* __restrict base = x0.row(i);
    const float* __restrict product = u.row(i);
    const float* __restrict gradient = dy.row(i);
    float* __restrict product_gradient = du.row(i);
    float* __restrict base_gradient = dx0.row(i);
    for (std::size_t j = 0; j < dy.columns; ++j) {
      product_gradient[j] = gradient[j] * base[j];
      base_gradient[j] += gradient[j] * product[j];
    }
  }
}

// y += x.
void Add(ConstMatrix x, Matrix y) {
  for (std::size_t i = 0; i < y.rows; ++i) {
    const float* __restrict from = x.row(i);
    float* __restrict to = y.row(i);
    for (std::size_t j = 0; j < y.columns; ++j) to[j] += from[j];
  }
}

}  // namespace

CrossNetwork::CrossNetwork(const CrossSpec& spec, ParameterLayout& layout)
    : product_gradients_(spec.block_row_count_max, spec.width),
      input_gradients_(spec.block_row_count_max, spec.width) {
  for (std::size_t l = 0; l < spec.layers; ++l) {
    linears_.emplace_back(LinearSpec{.name = spec.name + "." + std::to_string(l),
                                     .inputs = spec.width,
                                     .outputs = spec.width,
                                     .end = LinearEnd::kBias},
                          layout);
    products_.emplace_back(spec.row_count_max, spec.width);
    outputs_.emplace_back(spec.row_count_max, spec.width);
  }
}

void CrossNetwork::Forward(const Gemm& gemm, const float* parameters, RowBlock block,
                           ConstMatrix x0) {
  ConstMatrix x = x0;
  for (std::size_t l = 0; l < linears_.size(); ++l) {
    const Matrix u = products_[l].view().Rows(block.begin, block.count);
    const Matrix y = outputs_[l].view().Rows(block.begin, block.count);
    linears_[l].Forward(gemm, parameters, x, u);
    Cross(x0, u, x, y);
    x = y;
  }
}

void CrossNetwork::Backward(const Gemm& gemm, const float* parameters, RowBlock block,
                            ConstMatrix x0, Matrix dy, Matrix dx0, float* gradients) {
  const Matrix du = product_gradients_.view().Rows(0, block.count);
  const Matrix dx = input_gradients_.view().Rows(0, block.count);
  for (std::size_t l = linears_.size(); l-- > 0;) {
    const ConstMatrix u = products_[l].view().Rows(block.begin, block.count);
    const ConstMatrix x =
        l == 0 ? x0 : ConstMatrix(outputs_[l - 1].view().Rows(block.begin, block.count));
    CrossBackward(x0, u, dy, du, dx0);
    AddColumnSums(du, linears_[l].bias_gradients(gradients));
    linears_[l].AddWeightGradients(gemm, x, du, gradients);
    linears_[l].InputGradients(gemm, parameters, du, dx);
    gemm.Finish();  // The next layer's du takes the place of this one's.
    Add(dx, dy);    // The gradient of x_l: straight through, and through the product.
  }
  Add(dy, dx0);
}

}  // namespace longtail::examples
