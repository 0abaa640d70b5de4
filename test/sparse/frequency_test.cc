#include "sparse/frequency.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sparse/optimizer.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

double Wide(float value) {
  return static_cast<double>(value);
}

double Norm(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += Wide(value) * Wide(value);
  return std::sqrt(squares);
}

// One push of plain descent to the weights.
std::vector<float> Moved(const OptimizerSpec& spec, const RowFrequency& seen,
                         const std::vector<float>& gradient, std::vector<float> weights) {
  std::vector<float> scratch(weights.size());
  ApplyShaped(spec, std::get<SgdSpec>(spec.rule),
              {gradient.data(), weights.data(), nullptr, weights.size()}, seen, scratch.data());
  return weights;
}

TEST_CASE("powers by quarters agree with pow", "[sparse][frequency]") {
  const int quarters = GENERATE(range(-8, 9));
  for (const double base : {1.0, 1.5, 2.0, 10.0, 12345.0, 4294967295.0}) {
    CAPTURE(quarters, base);
    CHECK(QuarterPower(base, 0.25F * static_cast<float>(quarters)) ==
          Approx(std::pow(base, 0.25 * quarters)).epsilon(1e-12));
  }
}

TEST_CASE("the learning rate falls with a power of the count, from a count on",
          "[sparse][frequency]") {
  OptimizerSpec spec{.rule = SgdSpec{.learning_rate = 0.5F}};
  spec.frequency = {.rate_power = 0.5F, .rate_from = 4};
  for (const std::uint32_t count : {1U, 4U, 5U, 16U, 100U, 4'000'000'000U}) {
    const double rate = 0.5 * std::min(1.0, std::pow(count / 4.0, -0.5));
    const std::vector<float> moved = Moved(spec, {.count = count}, {2, -1}, {0, 0});
    CHECK(Wide(moved[0]) == Approx(-2 * rate).epsilon(1e-6));
    CHECK(Wide(moved[1]) == Approx(rate).epsilon(1e-6));
  }
}

TEST_CASE("weight decay shrinks or grows with a power of the count", "[sparse][frequency]") {
  const float power = GENERATE(-1.0F, -0.25F, 0.5F, 2.0F);
  OptimizerSpec spec{.rule = SgdSpec{.learning_rate = 1}, .weight_decay = 0.001F};
  spec.frequency.decay_power = power;
  for (const std::uint32_t count : {0U, 1U, 9U, 20U}) {
    const double decay = 0.001 * std::pow(count == 0 ? 1 : count, Wide(power));
    const std::vector<float> moved = Moved(spec, {.count = count}, {0, 0}, {3, -5});
    CHECK(Wide(moved[0]) == Approx(3 - 3 * decay).epsilon(1e-5));
    CHECK(Wide(moved[1]) == Approx(-5 + 5 * decay).epsilon(1e-5));
  }
}

TEST_CASE("CowClip bounds a gradient by the row's norm times its occurrences",
          "[sparse][frequency]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 200));
  Rng rng(seed);
  OptimizerSpec spec{.rule = SgdSpec{.learning_rate = 1}};
  spec.frequency = {.cow_clip = rng.Uniform(0, 0.5F), .cow_clip_floor = rng.Uniform(0, 0.3F)};
  const std::size_t dim = 1 + rng.Below(20);
  const std::vector<float> weights = test::Floats(rng, dim, -1, 1);
  const std::vector<float> gradient = test::Floats(rng, dim, -2, 2);
  const auto n = static_cast<std::uint32_t>(1 + rng.Below(5));
  const double bound = n * std::max(Wide(spec.frequency.cow_clip) * Norm(weights),
                                    Wide(spec.frequency.cow_clip_floor));

  const std::vector<float> moved = Moved(spec, {.count = 9, .occurrences = n}, gradient, weights);

  const double scale = std::min(1.0, bound / Norm(gradient));
  for (std::size_t i = 0; i < dim; ++i) {
    CHECK(Wide(moved[i]) ==
          Approx(Wide(weights[i]) - scale * Wide(gradient[i])).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("weights decay by the steps that a row was idle", "[sparse][frequency]") {
  OptimizerSpec spec{.rule = SgdSpec{.learning_rate = 1}};
  spec.frequency.idle_decay = 0.01F;
  for (const std::uint32_t idle : {0U, 1U, 7U, 365U, 1'000'000U}) {
    const double kept = std::pow(1 - Wide(0.01F), idle);
    const std::vector<float> moved = Moved(spec, {.count = 2, .idle = idle}, {0.5F}, {2});
    CHECK(Wide(moved[0]) == Approx(2 * kept - 0.5).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("group lasso takes a row's norm down by rate times lambda, to zero at most",
          "[sparse][frequency]") {
  OptimizerSpec spec{.rule = SgdSpec{.learning_rate = 0.5F}};
  spec.frequency.group_lasso = 2;

  const std::vector<float> moved = Moved(spec, {.count = 1}, {0, 0}, {3, 4});
  CHECK(Norm(moved) == Approx(4).epsilon(1e-6));
  CHECK(Wide(moved[0]) / Wide(moved[1]) == Approx(0.75).epsilon(1e-6));
  CHECK(Moved(spec, {.count = 1}, {0, 0}, {0.3F, -0.4F}) == std::vector<float>{0, 0});
  CHECK(Moved(spec, {.count = 1}, {0, 0}, {0, 0}) == std::vector<float>{0, 0});
}

}  // namespace
}  // namespace longtail::sparse
