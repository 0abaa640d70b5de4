#include "sparse/adagrad.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

constexpr AdagradSpec kSpec{.learning_rate = 0.1F, .initial_accumulator = 0.25F, .epsilon = 0.02F};

double Wide(float value) {
  return static_cast<double>(value);
}

TEST_CASE("an Adagrad step agrees with the paper's formula in double", "[sparse][adagrad]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  float weight = rng.Uniform(-1, 1);
  float sum = rng.Uniform(0.01F, 10);
  double want_weight = Wide(weight);
  double want_sum = Wide(sum);

  for (int step = 0; step < 3; ++step) {
    const float gradient = rng.Uniform(-1, 1);
    want_sum += Wide(gradient) * Wide(gradient);
    want_weight -=
        Wide(kSpec.learning_rate) * Wide(gradient) / (std::sqrt(want_sum) + Wide(kSpec.epsilon));
    AdagradStep(kSpec, gradient, weight, sum);
  }

  CHECK(Wide(sum) == Approx(want_sum).epsilon(1e-6));
  CHECK(Wide(weight) == Approx(want_weight).epsilon(1e-6).margin(5e-7));
}

TEST_CASE("a row's Adagrad sums start at the initial accumulator", "[sparse][adagrad]") {
  const float weights[2] = {3, 4};
  float state[2] = {1, 2};

  InitState(kSpec, weights, 2, state);

  CHECK(StateSize(kSpec, 2) == 2);
  CHECK(state[0] == 0.25F);
  CHECK(state[1] == 0.25F);
}

}  // namespace
}  // namespace longtail::sparse
