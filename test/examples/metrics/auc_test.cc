#include "examples/common/metrics/auc.h"

#include <catch2/catch.hpp>
#include <limits>

#include "random_examples.h"

namespace longtail::examples {
namespace {

TEST_CASE("AUC equals the count over all pairs, whatever the ties", "[metrics][auc][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::size_t size = random() % 60;
  const std::uint64_t score_count = 1 + random() % (seed % 2 == 0 ? 4 : 1000);
  const std::vector<ScoredExample> examples = test::RandomExamples(random, size, score_count);

  // Both are a quotient of the same two integers, doubled in one of them: equal to the last bit.
  CHECK(Auc(examples) == test::SlowAuc(examples));
}

TEST_CASE("a score with its label turned has the mirrored AUC", "[metrics][auc][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 100));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<ScoredExample> examples = test::RandomExamples(random, 300, 17);
  const double before = Auc(examples).value();

  for (ScoredExample& example : examples) example.score = 3 - 7 * example.score;

  CHECK(Auc(examples).value() == Approx(1 - before).epsilon(1e-14));
}

TEST_CASE("a perfect order has AUC 1, one score for all has one half", "[metrics][auc]") {
  const std::vector<ScoredExample> perfect{{.score = 0.7F, .positive = true},
                                           {.score = -3.5F, .positive = false},
                                           {.score = 0.2F, .positive = false}};
  std::vector<ScoredExample> tied = perfect;
  for (ScoredExample& example : tied) example.score = 0.3F;

  CHECK(Auc(perfect) == 1.0);
  CHECK(Auc(tied) == 0.5);
}

TEST_CASE("AUC is absent, not a number, when a class is missing", "[metrics][auc]") {
  const std::vector<ScoredExample> positives{{.score = 0.7F, .positive = true},
                                             {.score = 0.4F, .positive = true}};
  const std::vector<ScoredExample> negatives{{.score = 0.7F, .positive = false}};

  CHECK_FALSE(Auc({}).has_value());
  CHECK_FALSE(Auc(positives).has_value());
  CHECK_FALSE(Auc(negatives).has_value());
}

TEST_CASE("pairs beyond 32 bits are counted exactly", "[metrics][auc]") {
  // 100,000 of each class, all tied but one positive below all: 10^10 pairs.
  std::vector<ScoredExample> examples(200'000, {.score = 0.25F, .positive = false});
  for (std::size_t i = 0; i < 100'000; ++i) examples[2 * i].positive = true;
  examples[0].score = 0.125F;

  CHECK(Auc(examples) == (99'999.0 * 100'000.0) / (2 * 1e10));
}

TEST_CASE("a packed example comes back and sorts by score", "[metrics][auc]") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> scores{-kInfinity, -2.5F,   -1e-40F, 0.0F,
                                  1e-40F,     0.0625F, 1.0F,    kInfinity};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const ScoredExample example{
        .score = scores[i], .positive = i % 2 == 0, .rarest_tag = 5, .field_tag = 203};
    const ScoredExample back = Unpack(Pack(example));

    CHECK(back.score == example.score);
    CHECK(back.positive == example.positive);
    CHECK(back.rarest_tag == example.rarest_tag);
    CHECK(back.field_tag == example.field_tag);
    if (i > 0) CHECK(Pack({.score = scores[i - 1], .positive = true}) < Pack(example));
  }
  CHECK(Pack({.score = -0.0F}) == Pack({.score = 0.0F}));
}

}  // namespace
}  // namespace longtail::examples
