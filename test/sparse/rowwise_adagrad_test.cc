#include "sparse/rowwise_adagrad.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

constexpr RowwiseAdagradSpec kSpec{
    .learning_rate = 0.1F, .initial_accumulator = 0.5F, .epsilon = 0.03F};

double Wide(float value) {
  return static_cast<double>(value);
}

TEST_CASE("a row-wise Adagrad step agrees with its formula in double", "[sparse][rowwise]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  const std::size_t dim = 1 + rng.Below(20);
  std::vector<float> weights = test::Floats(rng, dim, -1, 1);
  float sum = rng.Uniform(0.01F, 10);
  std::vector<double> want(weights.begin(), weights.end());
  double want_sum = Wide(sum);

  for (int step = 0; step < 3; ++step) {
    const std::vector<float> gradient = test::Floats(rng, dim, -1, 1);
    double mean = 0;
    for (const float g : gradient) mean += Wide(g) * Wide(g) / static_cast<double>(dim);
    want_sum += mean;
    const double rate = Wide(kSpec.learning_rate) / (std::sqrt(want_sum) + Wide(kSpec.epsilon));
    for (std::size_t i = 0; i < dim; ++i) want[i] -= rate * Wide(gradient[i]);
    ApplyRow(kSpec, {gradient.data(), weights.data(), &sum, dim});
  }

  CHECK(Wide(sum) == Approx(want_sum).epsilon(1e-6));
  for (std::size_t i = 0; i < dim; ++i) {
    CHECK(Wide(weights[i]) == Approx(want[i]).epsilon(1e-6).margin(5e-7));
  }
}

TEST_CASE("a row-wise Adagrad row keeps one float", "[sparse][rowwise]") {
  const float weights[3] = {3, 4, 5};
  float state = 9;

  InitState(kSpec, weights, 3, &state);

  CHECK(StateSize(kSpec, 3) == 1);
  CHECK(state == 0.5F);
}

}  // namespace
}  // namespace longtail::sparse
