#include "examples/common/nn/gemm.h"

#include <catch2/catch.hpp>
#include <vector>

#include "random_floats.h"

namespace longtail::examples {
namespace {

struct Shape {
  std::size_t m, n, k;
};

TEST_CASE("a product is that of the definition, for any transposes, strides and factors",
          "[nn][gemm]") {
  const auto gemm = MakeOpenBlasGemm();
  const Shape s = GENERATE(values<Shape>({{1, 1, 1}, {5, 7, 3}, {33, 16, 41}, {2, 70, 1}}));
  const bool ta = GENERATE(false, true);
  const bool tb = GENERATE(false, true);
  const float beta = GENERATE(0.0F, 1.0F, -0.5F);
  CAPTURE(s.m, s.n, s.k, ta, tb, beta);
  const std::size_t a_stride = (ta ? s.m : s.k) + 3;
  const std::size_t b_stride = (tb ? s.k : s.n) + 1;
  const std::size_t c_stride = s.n + 2;
  const std::vector<float> a = RandomFloats((ta ? s.k : s.m) * a_stride, 1);
  const std::vector<float> b = RandomFloats((tb ? s.n : s.k) * b_stride, 2);
  const std::vector<float> before = RandomFloats(s.m * c_stride, 3);
  std::vector<float> c = before;

  gemm->Multiply({.transpose_a = ta ? Transpose::kYes : Transpose::kNo,
                  .transpose_b = tb ? Transpose::kYes : Transpose::kNo,
                  .a = {a.data(), ta ? s.k : s.m, ta ? s.m : s.k, a_stride},
                  .b = {b.data(), tb ? s.n : s.k, tb ? s.k : s.n, b_stride},
                  .c = {c.data(), s.m, s.n, c_stride},
                  .alpha = 1.5F,
                  .beta = beta});

  for (std::size_t i = 0; i < s.m; ++i) {
    for (std::size_t j = 0; j < s.n; ++j) {
      double want = static_cast<double>(beta) * static_cast<double>(before[i * c_stride + j]);
      for (std::size_t k = 0; k < s.k; ++k) {
        const float left = ta ? a[k * a_stride + i] : a[i * a_stride + k];
        const float right = tb ? b[j * b_stride + k] : b[k * b_stride + j];
        want += 1.5 * static_cast<double>(left) * static_cast<double>(right);
      }
      CHECK(static_cast<double>(c[i * c_stride + j]) == Approx(want).epsilon(1e-5).margin(1e-5));
    }
    for (std::size_t j = s.n; j < c_stride; ++j) {
      CHECK(c[i * c_stride + j] == before[i * c_stride + j]);
    }
  }
}

}  // namespace
}  // namespace longtail::examples
