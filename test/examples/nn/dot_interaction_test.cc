#include "examples/common/nn/dot_interaction.h"

#include <catch2/catch.hpp>
#include <vector>

#include "random_floats.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kRows = 3;
constexpr float kGuard = 1234;

TEST_CASE("the dot interaction and its gradient are those of the definition, for any shape",
          "[nn][dot_interaction]") {
  const std::size_t n = GENERATE(2U, 3U, 4U, 5U, 8U, 9U, 12U, 16U, 17U, 27U, 33U);
  const std::size_t dim = GENERATE(1U, 3U, 4U, 8U, 16U, 20U, 32U);
  CAPTURE(n, dim);
  DotInteraction interaction(n, dim);
  const std::size_t outputs = interaction.outputs();
  REQUIRE(outputs == dim + n * (n - 1) / 2);
  const std::size_t v_stride = n * dim + 1;  // Odd strides: rows begin anywhere.
  const std::vector<float> v = RandomFloats(kRows * v_stride, 1);
  const std::vector<float> dy = RandomFloats(kRows * outputs, 2);
  std::vector<float> y(kRows * outputs + 1, kGuard);
  std::vector<float> dv(kRows * v_stride, kGuard);
  const ConstMatrix vectors(v.data(), kRows, n * dim, v_stride);

  interaction.Forward(vectors, {y.data(), kRows, outputs, outputs});
  interaction.Backward(vectors, {dy.data(), kRows, outputs, outputs},
                       {dv.data(), kRows, n * dim, v_stride});

  for (std::size_t e = 0; e < kRows; ++e) {
    const auto at = [&](std::size_t i, std::size_t d) {
      return static_cast<double>(vectors.row(e)[i * dim + d]);
    };
    std::vector<double> want(n * dim);
    for (std::size_t d = 0; d < dim; ++d) {
      CHECK(y[e * outputs + d] == vectors.row(e)[d]);
      want[d] = static_cast<double>(dy[e * outputs + d]);
    }
    std::size_t place = e * outputs + dim;
    for (std::size_t i = 1; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j, ++place) {
        double product = 0;
        for (std::size_t d = 0; d < dim; ++d) {
          product += at(i, d) * at(j, d);
          want[i * dim + d] += static_cast<double>(dy[place]) * at(j, d);
          want[j * dim + d] += static_cast<double>(dy[place]) * at(i, d);
        }
        CHECK(static_cast<double>(y[place]) == Approx(product).epsilon(1e-5).margin(1e-5));
      }
    }
    for (std::size_t k = 0; k < n * dim; ++k) {
      CHECK(static_cast<double>(dv[e * v_stride + k]) ==
            Approx(want[k]).epsilon(1e-5).margin(1e-5));
    }
    CHECK(dv[e * v_stride + n * dim] == kGuard);
  }
  CHECK(y.back() == kGuard);
}

}  // namespace
}  // namespace longtail::examples
