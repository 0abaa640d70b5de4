#include "sparse/optimizer.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

#include "sparse/reference_optimizer.h"
#include "sparse/specs.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TEST_CASE("a row of any width moves as its weights do one by one", "[sparse][optimizer]") {
  const std::size_t which = GENERATE(range<std::size_t>(0, 7));
  const std::size_t dim = GENERATE(range<std::size_t>(1, 130));
  CAPTURE(which, dim);
  Rng rng(dim);
  const OptimizerSpec spec{.rule = test::Rules().at(which)};
  std::vector<float> values = test::Floats(rng, dim, 0.5F, 1);
  values.resize(dim + StateSize(spec, static_cast<std::uint32_t>(dim)));
  InitState(spec, {values.data(), dim}, std::span(values).subspan(dim));
  std::vector<float> want = values;

  for (int step = 0; step < 3; ++step) {
    const std::vector<float> gradient = test::Floats(rng, dim, -1, 1.5F);
    test::ReferenceOptimizer::Push(spec, 1, gradient, want);
    std::visit(
        [&](const auto& rule) {
          ApplyRow(rule, {gradient.data(), values.data(), values.data() + dim, dim});
        },
        spec.rule);
  }

  CHECK(std::memcmp(values.data(), want.data(), values.size() * sizeof(float)) == 0);
}

TEST_CASE("a rule's rate is scaled and nothing else of it", "[sparse][optimizer]") {
  CHECK(WithRateScale(SgdSpec{.learning_rate = 0.5F}, 0.5F) ==
        OptimizerRule(SgdSpec{.learning_rate = 0.25F}));
  CHECK(WithRateScale(FtrlSpec{.alpha = 0.5F, .l1 = 2}, 3) ==
        OptimizerRule(FtrlSpec{.alpha = 1.5F, .l1 = 2}));
  CHECK(WithRateScale(AdamSpec{.learning_rate = 0.25F, .beta1 = 0.5F}, 2) ==
        OptimizerRule(AdamSpec{.learning_rate = 0.5F, .beta1 = 0.5F}));
}

TEST_CASE("each rule keeps as much state as it says", "[sparse][optimizer]") {
  std::vector<std::uint32_t> sizes;
  for (const OptimizerRule& rule : test::Rules()) sizes.push_back(StateSize({.rule = rule}, 10));

  CHECK(sizes == std::vector<std::uint32_t>{0, 10, 10, 10, 1, 21, 20});
}

}  // namespace
}  // namespace longtail::sparse
