#include "sparse/adam.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

constexpr AdamSpec kSpec{.learning_rate = 0.05F, .beta1 = 0.85F, .beta2 = 0.97F, .epsilon = 0.01F};

double Wide(float value) {
  return static_cast<double>(value);
}

TEST_CASE("Adam steps agree with the paper's algorithm in double", "[sparse][adam]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  constexpr std::size_t kDim = 3;
  std::vector<float> weights = test::Floats(rng, kDim, -1, 1);
  std::vector<float> state(StateSize(kSpec, kDim), 5);
  InitState(kSpec, weights.data(), kDim, state.data());
  std::vector<double> want(weights.begin(), weights.end());
  std::vector<double> m(kDim);
  std::vector<double> v(kDim);

  for (int t = 1; t <= 6; ++t) {
    const std::vector<float> gradient = test::Floats(rng, kDim, -1, 1);
    for (std::size_t i = 0; i < kDim; ++i) {
      const double g = Wide(gradient[i]);
      m[i] = Wide(kSpec.beta1) * m[i] + (1 - Wide(kSpec.beta1)) * g;
      v[i] = Wide(kSpec.beta2) * v[i] + (1 - Wide(kSpec.beta2)) * g * g;
      const double m_hat = m[i] / (1 - std::pow(Wide(kSpec.beta1), t));
      const double v_hat = v[i] / (1 - std::pow(Wide(kSpec.beta2), t));
      want[i] -= Wide(kSpec.learning_rate) * m_hat / (std::sqrt(v_hat) + Wide(kSpec.epsilon));
    }
    ApplyRow(kSpec, {gradient.data(), weights.data(), state.data(), kDim});
  }

  CHECK(std::bit_cast<std::uint32_t>(state.back()) == 6);
  for (std::size_t i = 0; i < kDim; ++i) {
    CHECK(Wide(state[i]) == Approx(m[i]).epsilon(1e-5).margin(1e-6));
    CHECK(Wide(state[kDim + i]) == Approx(v[i]).epsilon(1e-5).margin(1e-6));
    CHECK(Wide(weights[i]) == Approx(want[i]).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("an integer power agrees with pow", "[sparse][adam]") {
  const double base = GENERATE(0.0, 0.5, 0.9, 0.999, 0.9999999);
  const std::uint32_t exponent = GENERATE(1U, 2U, 3U, 7U, 100U, 65'535U, 1'000'000U);
  CAPTURE(base, exponent);

  CHECK(IntegerPower(base, exponent) ==
        Approx(std::pow(base, exponent)).epsilon(1e-15 * exponent + 1e-15));
}

TEST_CASE("a row's step number stays at its highest value", "[sparse][adam]") {
  CHECK(AdamNextStep(0) == 1);
  CHECK(AdamNextStep(0xFFFFFFFE) == 0xFFFFFFFF);
  CHECK(AdamNextStep(0xFFFFFFFF) == 0xFFFFFFFF);
  const AdamCorrection correction = AdamCorrectionAt(kSpec, 0xFFFFFFFF);
  CHECK(correction.rate == kSpec.learning_rate);
  CHECK(correction.second_scale == 1);
}

}  // namespace
}  // namespace longtail::sparse
