#include "sparse/sgd.h"

#include <catch2/catch.hpp>
#include <cstdint>

#include "support/gen.h"

namespace longtail::sparse {
namespace {

constexpr SgdSpec kSpec{.learning_rate = 0.3F};

TEST_CASE("an SGD step agrees with its formula in double", "[sparse][sgd]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  Rng rng(seed);
  float weight = rng.Uniform(-1, 1);
  double want = static_cast<double>(weight);

  for (int step = 0; step < 3; ++step) {
    const float gradient = rng.Uniform(-1, 1);
    want -= static_cast<double>(kSpec.learning_rate) * static_cast<double>(gradient);
    SgdStep(kSpec, gradient, weight);
  }

  CHECK(static_cast<double>(weight) == Approx(want).epsilon(1e-6).margin(5e-7));
}

}  // namespace
}  // namespace longtail::sparse
