#include "examples/common/metrics/streaming_auc.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "examples/common/metrics/auc.h"
#include "random_examples.h"

namespace longtail::examples {
namespace {

TEST_CASE("the running AUC is within its stated bound of the exact one", "[metrics][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  auto examples = test::RandomExamples(random, 2 + random() % 300, 700);
  const float scale = seed % 3 == 0 ? 60.0F : seed % 3 == 1 ? 5.0F : 0.05F;
  StreamingAuc streaming;
  for (ScoredExample& example : examples) {
    example.score = scale * (example.score - 0.4F);
    streaming.Add(example.positive, example.score);
  }
  const std::optional<double> exact = Auc(examples);

  REQUIRE(streaming.Value().has_value() == exact.has_value());
  if (!exact) return;
  CAPTURE(*exact, *streaming.Value());
  CHECK(std::abs(*streaming.Value() - *exact) <= *streaming.ErrorBound() + 1e-12);
}

TEST_CASE("on spread logits the running AUC is close and knows it", "[metrics]") {
  std::mt19937_64 random(5);
  auto examples = test::RandomExamples(random, 20'000, 5000);
  StreamingAuc streaming;
  for (ScoredExample& example : examples) {
    example.score = 6 * (example.score - 0.4F);
    streaming.Add(example.positive, example.score);
  }

  CHECK(*streaming.ErrorBound() < 0.002);
  CHECK(*streaming.Value() == Approx(Auc(examples).value()).margin(0.0005));
}

TEST_CASE("merging two running AUCs equals one over all", "[metrics]") {
  std::mt19937_64 random(8);
  const auto examples = test::RandomExamples(random, 500, 40);
  StreamingAuc all;
  StreamingAuc first;
  StreamingAuc second;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    all.Add(examples[i].positive, examples[i].score);
    (i % 3 == 0 ? first : second).Add(examples[i].positive, examples[i].score);
  }
  second.Add(true, std::numeric_limits<float>::quiet_NaN());

  first.Merge(second);

  CHECK(first.Value() == all.Value());
  CHECK(first.ErrorBound() == all.ErrorBound());
  CHECK(first.nan_count() == 1);
}

TEST_CASE("the running AUC takes any logit and is absent until both classes came", "[metrics]") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  StreamingAuc streaming;
  CHECK_FALSE(streaming.Value().has_value());
  streaming.Add(true, kInfinity);
  streaming.Add(true, 16.0F);
  streaming.Add(true, std::numeric_limits<float>::quiet_NaN());
  CHECK_FALSE(streaming.Value().has_value());
  CHECK_FALSE(streaming.ErrorBound().has_value());

  streaming.Add(false, -kInfinity);
  streaming.Add(false, -16.0F);
  CHECK(streaming.Value() == 1.0);

  streaming.Clear();
  CHECK_FALSE(streaming.Value().has_value());
  CHECK(streaming.nan_count() == 0);
}

}  // namespace
}  // namespace longtail::examples
