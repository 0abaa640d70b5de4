#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

#include "examples/common/nn/fixed_dim.h"
#include "examples/common/nn/fm_interaction.h"
#include "examples/common/nn/linear.h"
#include "examples/common/nn/logit_head.h"
#include "examples/common/nn/relu.h"
#include "random_floats.h"

namespace longtail::examples {
namespace {

TEST_CASE("a linear layer applies weights, bias and ReLU, each as asked", "[nn][linear]") {
  const LinearEnd end = GENERATE(LinearEnd::kNothing, LinearEnd::kBias, LinearEnd::kBiasRelu);
  CAPTURE(static_cast<int>(end));
  const auto gemm = MakeOpenBlasGemm();
  ParameterLayout layout;
  const Linear linear({.name = "l", .inputs = 3, .outputs = 2, .end = end}, layout);
  Parameters parameters(layout, 1);
  std::ranges::copy(std::vector<float>{1, -2, 3, 4, -5, 6}, parameters.values().begin());
  if (linear.has_bias()) {
    std::ranges::copy(
        std::vector<float>{10, -40},
        parameters.values().begin() + static_cast<long>(layout.Find("l.bias")->offset));
  }
  const std::vector<float> x = {1, 2, 3, -1, 5, 2};
  std::vector<float> y(4);

  linear.Forward(*gemm, parameters.values().data(), {x.data(), 2, 3, 3}, {y.data(), 2, 2, 2});

  if (end == LinearEnd::kNothing) CHECK(y == std::vector<float>{-8, 24, 4, 34});
  if (end == LinearEnd::kBias) CHECK(y == std::vector<float>{2, -16, 14, -6});
  if (end == LinearEnd::kBiasRelu) CHECK(y == std::vector<float>{2, 0, 14, 0});
  CHECK(layout.Find("l.weight")->decay == Decay::kYes);
  if (linear.has_bias()) CHECK(layout.Find("l.bias")->decay == Decay::kNo);
}

TEST_CASE("the ReLU's gradient passes where the output is positive and sums into the bias",
          "[nn][relu]") {
  const std::size_t width = GENERATE(1U, 7U, 8U, 31U, 127U, 128U, 129U, 400U);
  CAPTURE(width);
  constexpr std::size_t kRows = 6;
  std::vector<float> y = RandomFloats(kRows * width, 1);
  Relu({y.data(), kRows, width, width});
  const std::vector<float> dy = RandomFloats(kRows * width, 2);
  std::vector<float> masked = dy;
  std::vector<float> masked_and_summed = dy;
  std::vector<float> bias_gradients(width, 0.5F);

  ReluBackward({y.data(), kRows, width, width}, 1.25F, {masked.data(), kRows, width, width});
  ReluBackward({y.data(), kRows, width, width}, 1.25F,
               {masked_and_summed.data(), kRows, width, width}, bias_gradients.data());

  CHECK(masked == masked_and_summed);
  for (std::size_t j = 0; j < width; ++j) {
    double sum = 0.5;
    for (std::size_t i = 0; i < kRows; ++i) {
      const float want = y[i * width + j] > 0 ? dy[i * width + j] * 1.25F : 0;
      CHECK(masked[i * width + j] == want);
      sum += static_cast<double>(want);
    }
    CHECK(static_cast<double>(bias_gradients[j]) == Approx(sum).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("a logit head adds a weighted sum, and its gradients are the parts of it",
          "[nn][logit_head]") {
  const std::size_t width = GENERATE(1U, 5U, 8U, 31U, 32U, 45U, 400U);
  CAPTURE(width);
  constexpr std::size_t kRows = 7;
  ParameterLayout layout;
  const LogitHead head("head", width, {.kind = InitializerKind::kUniform, .scale = 1}, layout);
  const Parameters parameters(layout, 3);
  const std::vector<float> x = RandomFloats(kRows * width, 4);
  const std::vector<float> g = RandomFloats(kRows, 5);
  std::vector<float> logits(kRows, 0.5F);
  std::vector<float> gradients(layout.size(), 0.25F);
  std::vector<float> dx(kRows * width);

  head.Forward(parameters.values().data(), {x.data(), kRows, width, width}, logits.data());
  head.AddWeightGradients({x.data(), kRows, width, width}, g.data(), gradients.data());
  head.InputGradients(parameters.values().data(), g.data(), {dx.data(), kRows, width, width});

  for (std::size_t i = 0; i < kRows; ++i) {
    double want = 0.5;
    for (std::size_t j = 0; j < width; ++j) {
      want += static_cast<double>(x[i * width + j]) * static_cast<double>(parameters.values()[j]);
      CHECK(dx[i * width + j] == g[i] * parameters.values()[j]);
    }
    CHECK(static_cast<double>(logits[i]) == Approx(want).epsilon(1e-5).margin(1e-5));
  }
  for (std::size_t j = 0; j < width; ++j) {
    double want = 0.25;
    for (std::size_t i = 0; i < kRows; ++i) {
      want += static_cast<double>(x[i * width + j]) * static_cast<double>(g[i]);
    }
    CHECK(static_cast<double>(gradients[j]) == Approx(want).epsilon(1e-5).margin(1e-5));
  }
}

TEST_CASE("the FM term is the sum of all pairs' dot products", "[nn][fm]") {
  const std::size_t dim = GENERATE(1U, 3U, 4U, 8U, 16U, 20U, 32U);
  CAPTURE(dim);
  constexpr std::size_t kVectors = 5;
  const std::vector<float> v = RandomFloats(kVectors * dim, 6);
  const std::vector<float> scales = RandomFloats(kVectors, 7);
  std::vector<float> sums(dim);
  std::vector<float> squares(dim);

  const float value = WithFixedDim(dim, [&](auto fixed) {
    constexpr std::size_t kDim = decltype(fixed)::value;
    FmAccumulate<kDim>(v.data(), scales.data(), kVectors, dim, sums.data(), squares.data());
    return FmValue<kDim>(sums.data(), squares.data(), dim);
  });

  double want = 0;
  for (std::size_t i = 0; i < kVectors; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      for (std::size_t d = 0; d < dim; ++d) {
        want += static_cast<double>(v[i * dim + d]) * static_cast<double>(scales[i]) *
                static_cast<double>(v[j * dim + d]) * static_cast<double>(scales[j]);
      }
    }
  }
  CHECK(static_cast<double>(value) == Approx(want).epsilon(1e-4).margin(1e-5));
}

}  // namespace
}  // namespace longtail::examples
