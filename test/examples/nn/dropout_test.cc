#include "examples/common/nn/dropout.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace longtail::examples {
namespace {

constexpr std::size_t kWidth = 37;
constexpr StepContext kContext = {.training = true, .seed = 5, .step = 9, .first_example = 20};

/// The mask of `rows` examples from `first_row` on.
std::vector<float> Mask(const Dropout& dropout, const StepContext& context, std::size_t first_row,
                        std::size_t rows) {
  std::vector<float> ones(rows * kWidth, 1);
  dropout.Apply(context, first_row, {ones.data(), rows, kWidth, kWidth});
  return ones;
}

TEST_CASE("dropout drops its share and scales the rest", "[nn][dropout]") {
  const float rate = GENERATE(0.1F, 0.5F, 0.9F);
  CAPTURE(rate);
  const Dropout dropout(rate, 3);
  const std::vector<float> mask = Mask(dropout, kContext, 0, 3000);

  double kept = 0;
  for (const float value : mask) {
    if (value == 0) continue;
    CHECK(value == dropout.scale());
    kept += 1;
  }
  const double p = 1 - static_cast<double>(rate);
  const auto count = static_cast<double>(mask.size());
  CHECK(std::abs(kept / count - p) < 4 * std::sqrt(p * (1 - p) / count));
}

TEST_CASE("a mask belongs to the example's place in the global batch, however it is cut",
          "[nn][dropout]") {
  const Dropout dropout(0.4F, 3);
  StepContext later = kContext;
  later.first_example += 6;
  const std::vector<float> whole = Mask(dropout, kContext, 0, 10);
  const std::vector<float> want(whole.begin() + 6 * kWidth, whole.end());

  CHECK(Mask(dropout, kContext, 6, 4) == want);
  CHECK(Mask(dropout, later, 0, 4) == want);
}

TEST_CASE("seed, step, layer, example and column each give another mask", "[nn][dropout]") {
  const Dropout dropout(0.5F, 3);
  const std::vector<float> base = Mask(dropout, kContext, 0, 1);
  StepContext seed = kContext;
  seed.seed += 1;
  StepContext step = kContext;
  step.step += 1;

  CHECK(Mask(dropout, seed, 0, 1) != base);
  CHECK(Mask(dropout, step, 0, 1) != base);
  CHECK(Mask(dropout, kContext, 1, 1) != base);
  CHECK(Mask(Dropout(0.5F, 4), kContext, 0, 1) != base);
  CHECK(base != std::vector<float>(kWidth, base.front()));
}

TEST_CASE("dropout is off in evaluation and at rate 0", "[nn][dropout]") {
  CHECK_FALSE(Dropout(0.5F, 1).active({.training = false}));
  CHECK_FALSE(Dropout(0, 1).active({.training = true}));
  CHECK(Dropout(0.5F, 1).active({.training = true}));
}

}  // namespace
}  // namespace longtail::examples
