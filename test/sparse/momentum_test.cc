#include "sparse/momentum.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

TEST_CASE("a momentum step agrees with its formula in double", "[sparse][momentum]") {
  const MomentumKind kind = GENERATE(MomentumKind::kHeavyBall, MomentumKind::kNesterov);
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(kind, seed);
  const MomentumSpec spec{.learning_rate = 0.2F, .momentum = 0.85F, .kind = kind};
  Rng rng(seed);
  float weight = rng.Uniform(-1, 1);
  float velocity = rng.Uniform(0.5F, 1);
  double want_weight = Wide(weight);
  double want_velocity = Wide(velocity);

  for (int step = 0; step < 3; ++step) {
    const float gradient = rng.Uniform(-1, 1);
    want_velocity = Wide(spec.momentum) * want_velocity + Wide(gradient);
    want_weight -=
        Wide(spec.learning_rate) * (kind == MomentumKind::kHeavyBall
                                        ? want_velocity
                                        : Wide(gradient) + Wide(spec.momentum) * want_velocity);
    MomentumStep(spec, gradient, weight, velocity);
  }

  CHECK(Wide(velocity) == Approx(want_velocity).epsilon(1e-6).margin(1e-6));
  CHECK(Wide(weight) == Approx(want_weight).epsilon(1e-6).margin(1e-6));
}

TEST_CASE("a row with momentum starts at rest", "[sparse][momentum]") {
  const float weights[2] = {3, 4};
  float state[2] = {1, 2};

  InitState(MomentumSpec{}, weights, 2, state);

  CHECK(StateSize(MomentumSpec{}, 2) == 2);
  CHECK(state[0] == 0);
  CHECK(state[1] == 0);
}

}  // namespace
}  // namespace longtail::sparse
