#include "examples/common/metrics/classification_metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "examples/common/metrics/pairwise_sum.h"
#include "random_examples.h"

namespace longtail::examples {
namespace {

ClassificationMetrics MeasureAll(const std::vector<ScoredExample>& examples) {
  std::vector<PackedExample> packed;
  for (const ScoredExample& example : examples) packed.push_back(Pack(example));
  std::ranges::sort(packed);
  return Measure(packed);
}

TEST_CASE("the metrics agree with their formulas, term by term", "[metrics][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 300));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto examples = test::RandomExamples(random, 2 + random() % 400, 1 + random() % 900);
  long double loss = 0;
  long double probability = 0;
  long double positives = 0;
  for (const ScoredExample& e : examples) {
    const long double p = e.score;
    loss -= e.positive ? std::log(p) : std::log(1 - p);
    probability += p;
    positives += e.positive ? 1 : 0;
  }
  const auto size = static_cast<long double>(examples.size());
  const long double mean = positives / size;

  const ClassificationMetrics metrics = MeasureAll(examples);

  CHECK(metrics.example_count == examples.size());
  CHECK(metrics.positive_count == static_cast<std::uint64_t>(positives));
  CHECK(metrics.auc == test::SlowAuc(examples));
  CHECK(metrics.logloss.value() == Approx(static_cast<double>(loss / size)).epsilon(1e-13));
  CHECK(metrics.mean_probability.value() ==
        Approx(static_cast<double>(probability / size)).epsilon(1e-13));
  CHECK(metrics.mean_label.value() == Approx(static_cast<double>(mean)).epsilon(1e-15));
  CHECK(metrics.calibration.has_value() == (positives > 0));
  if (metrics.calibration) {
    CHECK(*metrics.calibration ==
          Approx(static_cast<double>(probability / positives)).epsilon(1e-13));
  }
  CHECK(metrics.normalized_entropy.has_value() == metrics.auc.has_value());
  if (metrics.normalized_entropy) {
    const long double entropy = -(mean * std::log(mean) + (1 - mean) * std::log(1 - mean));
    CHECK(*metrics.normalized_entropy ==
          Approx(static_cast<double>(loss / size / entropy)).epsilon(1e-12));
  }
}

TEST_CASE("always saying the mean label has normalized entropy 1", "[metrics]") {
  std::vector<ScoredExample> examples(8, {.score = 0.375F, .positive = false});
  for (std::size_t i = 0; i < 3; ++i) examples[i].positive = true;

  const ClassificationMetrics metrics = MeasureAll(examples);

  CHECK(metrics.normalized_entropy.value() == Approx(1).epsilon(1e-14));
  CHECK(metrics.calibration.value() == Approx(1).epsilon(1e-14));
}

TEST_CASE("an empty set has no metric and says so", "[metrics]") {
  const ClassificationMetrics metrics = MeasureAll({});

  CHECK(metrics == ClassificationMetrics{});
  CHECK(MetricText(metrics.auc, metrics.example_count, 4) == "n/a (empty)");
}

TEST_CASE("a set of one class has a logloss but no AUC and no entropy", "[metrics]") {
  const ClassificationMetrics metrics =
      MeasureAll({{.score = 0.25F, .positive = false}, {.score = 0.5F, .positive = false}});

  CHECK(metrics.logloss.value() == Approx(-(std::log(0.75) + std::log(0.5)) / 2));
  CHECK_FALSE(metrics.auc.has_value());
  CHECK_FALSE(metrics.normalized_entropy.has_value());
  CHECK_FALSE(metrics.calibration.has_value());
  CHECK(MetricText(metrics.auc, metrics.example_count, 4) == "n/a (one class)");
  CHECK(MetricText(metrics.logloss, metrics.example_count, 4) == "0.4904");
}

TEST_CASE("a certain and wrong prediction costs what the epsilon allows", "[metrics]") {
  CHECK(LoglossOf(true, 0.0) == Approx(-std::log(kLoglossEpsilon)));
  CHECK(LoglossOf(false, 1.0) == Approx(-std::log(kLoglossEpsilon)));
  CHECK(LoglossOf(true, 1.0) == Approx(kLoglossEpsilon));
  CHECK(LoglossOf(false, 0.0) == Approx(kLoglossEpsilon));
}

TEST_CASE("a pairwise sum of ten million tenths is right to 14 digits", "[metrics]") {
  const double sum = PairwiseSum(3, 10'000'003, [](std::size_t) { return 0.1; });

  CHECK(sum == Approx(1e6).epsilon(1e-14));
  CHECK(PairwiseSum(5, 5, [](std::size_t) { return 0.1; }) == 0);
}

}  // namespace
}  // namespace longtail::examples
