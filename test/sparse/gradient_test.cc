#include "sparse/gradient.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sparse/shape_gradient.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

TEST_CASE("a gradient is clipped by value, then by norm, then decay is added",
          "[sparse][gradient]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  const OptimizerSpec spec{.weight_decay = rng.Below(2) == 0 ? 0.0F : 0.3F,
                           .gradient_clip = rng.Below(2) == 0 ? 0.0F : 0.6F,
                           .gradient_norm_clip = rng.Below(2) == 0 ? 0.0F : 1.1F};
  const std::size_t dim = 1 + rng.Below(40);
  const std::vector<float> gradient = test::Floats(rng, dim, -1, 1);
  const std::vector<float> weights = test::Floats(rng, dim, 0.5F, 1);
  std::vector<float> scratch(dim, 9);

  std::vector<double> want(gradient.begin(), gradient.end());
  if (spec.gradient_clip > 0) {
    const double bound = Wide(spec.gradient_clip);
    for (double& g : want) g = std::clamp(g, -bound, bound);
  }
  double squares = 0;
  for (const double g : want) squares += g * g;
  if (spec.gradient_norm_clip > 0 && std::sqrt(squares) > Wide(spec.gradient_norm_clip)) {
    for (double& g : want) g *= Wide(spec.gradient_norm_clip) / std::sqrt(squares);
  }
  for (std::size_t i = 0; i < dim; ++i) want[i] += Wide(spec.weight_decay) * Wide(weights[i]);

  const float* shaped =
      ShapeGradient(spec, {}, gradient.data(), weights.data(), scratch.data(), dim);

  for (std::size_t i = 0; i < dim; ++i) {
    CHECK(Wide(shaped[i]) == Approx(want[i]).epsilon(1e-6).margin(1e-6));
  }
}

TEST_CASE("a gradient that nothing changes is not copied", "[sparse][gradient]") {
  const float gradient[2] = {1, 2};
  const float weights[2] = {3, 4};
  float scratch[2] = {5, 6};

  CHECK(ShapeGradient(OptimizerSpec{}, {}, gradient, weights, scratch, 2) == gradient);
  CHECK(scratch[0] == 5);
}

TEST_CASE("a sum of squares is right for every width", "[sparse][gradient]") {
  const std::size_t dim = GENERATE(range<std::size_t>(1, 130));
  CAPTURE(dim);
  Rng rng(dim);
  const std::vector<float> values = test::Floats(rng, dim, -2, 3);
  double want = 0;
  for (const float value : values) want += Wide(value) * Wide(value);

  CHECK(SumOfSquares(values.data(), dim) == Approx(want).epsilon(1e-12));
}

TEST_CASE("one value that is not finite is seen wherever it is", "[sparse][gradient]") {
  const std::size_t dim = GENERATE(range<std::size_t>(1, 70));
  using Limits = std::numeric_limits<float>;
  const float bad =
      GENERATE(Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN());
  Rng rng(dim);
  std::vector<float> values = test::Floats(rng, dim, -2, 3);
  values[rng.Below(dim)] = Limits::max();
  values[rng.Below(dim)] = Limits::denorm_min();
  REQUIRE(AllFinite(values.data(), dim));
  const std::size_t at = rng.Below(dim);
  CAPTURE(dim, bad, at);

  values[at] = bad;

  CHECK_FALSE(AllFinite(values.data(), dim));
}

TEST_CASE("weights are bounded after the rule", "[sparse][gradient]") {
  std::vector<float> weights{-3, -0.5F, 0.25F, 2};

  ClipWeights(OptimizerSpec{}, weights.data(), weights.size());
  CHECK(weights == std::vector<float>{-3, -0.5F, 0.25F, 2});
  ClipWeights(OptimizerSpec{.weight_clip = 1.5F}, weights.data(), weights.size());
  CHECK(weights == std::vector<float>{-1.5F, -0.5F, 0.25F, 1.5F});
}

}  // namespace
}  // namespace longtail::sparse
