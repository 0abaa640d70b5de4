#include "examples/ctr/learning_rate_schedule.h"

#include <catch2/catch.hpp>

namespace longtail::examples {
namespace {

TEST_CASE("the rate rises over the warm-up and is constant without a decay",
          "[examples][ctr][schedule]") {
  const LearningRateSchedule schedule{.warmup = 4};

  CHECK(schedule.Factor(0) == 0.25F);
  CHECK(schedule.Factor(3) == 1.0F);
  CHECK(schedule.Factor(1000) == 1.0F);
}

TEST_CASE("the rate falls to its final factor and stays there", "[examples][ctr][schedule]") {
  const LearningRateSchedule linear{
      .warmup = 2, .decay = RateDecay::kLinear, .steps = 12, .final = 0.2F};
  const LearningRateSchedule cosine{
      .warmup = 2, .decay = RateDecay::kCosine, .steps = 12, .final = 0.2F};

  CHECK(linear.Factor(7) == Approx(0.6));
  CHECK(cosine.Factor(7) == Approx(0.6));
  CHECK(linear.Factor(4) == Approx(0.84));
  CHECK(cosine.Factor(4) == Approx(0.2 + 0.8 * 0.5 * (1 + 0.8090169943749475)));
  CHECK(linear.Factor(12) == Approx(0.2));
  CHECK(linear.Factor(99) == Approx(0.2));
  CHECK(cosine.Factor(99) == Approx(0.2));
}

}  // namespace
}  // namespace longtail::examples
