#include "sparse/ftrl.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

// The paper's weight for (z, n), in double.
double Weight(const FtrlSpec& spec, double z, double n) {
  const double l1 = Wide(spec.l1);
  if (std::abs(z) <= l1) return 0;
  const double sign = z < 0 ? -1 : 1;
  return -(z - sign * l1) / ((Wide(spec.beta) + std::sqrt(n)) / Wide(spec.alpha) + Wide(spec.l2));
}

TEST_CASE("an FTRL step agrees with the paper's algorithm in double", "[sparse][ftrl]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  const FtrlSpec spec{.alpha = 0.3F, .beta = 0.7F, .l1 = rng.Uniform(0, 2), .l2 = 0.4F};
  float z = rng.Uniform(-3, 3);
  float n = rng.Uniform(0.1F, 4);
  double want_z = Wide(z);
  double want_n = Wide(n);
  double want = Weight(spec, want_z, want_n);
  float weight = static_cast<float>(want);

  for (int step = 0; step < 4; ++step) {
    const float gradient = rng.Uniform(-1, 1);
    const double g = Wide(gradient);
    const double sigma = (std::sqrt(want_n + g * g) - std::sqrt(want_n)) / Wide(spec.alpha);
    want_z += g - sigma * want;
    want_n += g * g;
    want = Weight(spec, want_z, want_n);
    FtrlStep(spec, gradient, weight, z, n);
  }

  CHECK(Wide(n) == Approx(want_n).epsilon(1e-6));
  CHECK(Wide(z) == Approx(want_z).epsilon(1e-5).margin(1e-5));
  CHECK(Wide(weight) == Approx(want).epsilon(1e-5).margin(1e-5));
}

TEST_CASE("FTRL weights whose z is within l1 are exactly zero", "[sparse][ftrl]") {
  const FtrlSpec spec{.alpha = 0.3F, .beta = 0.7F, .l1 = 2, .l2 = 0.4F};
  float weight = 0;
  float z = 1.5F;
  float n = 0.25F;

  FtrlStep(spec, 0.4F, weight, z, n);

  CHECK(weight == 0);
  CHECK(z == 1.9F);
  FtrlStep(spec, 0.4F, weight, z, n);
  CHECK(weight < 0);
}

TEST_CASE("an FTRL row begins at its initial weights and steps from them", "[sparse][ftrl]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  const FtrlSpec spec{.alpha = 0.3F, .beta = 0.7F, .l1 = 0.5F, .l2 = 0.4F};
  const float start = rng.Uniform(-1, 1);
  float state[2] = {7, 8};
  InitState(spec, &start, 1, state);
  CHECK(state[1] == 0);
  CHECK(Weight(spec, Wide(state[0]), 0) == Approx(Wide(start)).margin(1e-6));

  float weight = start;
  const float gradient = start < 0 ? 0.3F : -0.3F;  // Away from zero: the sign stays.
  FtrlStep(spec, gradient, weight, state[0], state[1]);

  const double rate = 1 / ((Wide(spec.beta) + 0.3) / Wide(spec.alpha) + Wide(spec.l2));
  CHECK(Wide(weight) == Approx(Wide(start) - rate * Wide(gradient)).margin(1e-6));
}

TEST_CASE("an FTRL row that begins at zero begins with a zero state", "[sparse][ftrl]") {
  const FtrlSpec spec{.alpha = 0.3F, .beta = 0.7F, .l1 = 0.5F, .l2 = 0.4F};

  CHECK(FtrlInitialZ(spec, 0.0F) == 0.0F);
  CHECK_FALSE(std::signbit(FtrlInitialZ(spec, 0.0F)));
  CHECK(StateSize(spec, 5) == 10);
}

}  // namespace
}  // namespace longtail::sparse
