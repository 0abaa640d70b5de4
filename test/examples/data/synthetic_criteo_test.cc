#include "examples/common/data/synthetic_criteo.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "examples/common/data/counter_random.h"
#include "memory_files.h"

namespace longtail::examples {
namespace {

using test::Equal;
using test::NextOf;

TEST_CASE("the sampler's ranks follow Zipf's law", "[examples][synthetic]") {
  const double exponent = GENERATE(0.6, 1.0, 1.3, 2.5);
  const std::uint64_t count = GENERATE(values<std::uint64_t>({1, 2, 5, 1000}));
  CAPTURE(exponent, count);
  const ZipfSampler zipf(count, exponent);
  constexpr std::uint64_t kDraws = 40'000;
  std::vector<double> seen(count + 1);
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const std::uint64_t rank = zipf.Draw(RandomStream(77, i));
    REQUIRE(rank >= 1);
    REQUIRE(rank <= count);
    ++seen[rank];
  }

  double sum = 0;
  for (std::uint64_t r = 1; r <= count; ++r) sum += std::pow(static_cast<double>(r), -exponent);
  for (std::uint64_t r = 1; r <= std::min<std::uint64_t>(count, 10); ++r) {
    const double p = std::pow(static_cast<double>(r), -exponent) / sum;
    const double deviation = std::sqrt(kDraws * p * (1 - p));
    CAPTURE(r);
    CHECK(std::abs(seen[r] - kDraws * p) < 4.5 * deviation + 1e-6);
  }
}

TEST_CASE("a rank of a huge range is drawn too", "[examples][synthetic]") {
  const ZipfSampler zipf(std::uint64_t{1} << 32, 0.5);
  std::uint64_t large = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) large += zipf.Draw(RandomStream(3, i)) >> 31;
  CHECK(large > 200);  // P(rank > 2^31) = 1 - 1/sqrt(2) = 0.29.
  CHECK(large < 400);
}

TEST_CASE("an example is a function of the seed and its number", "[examples][synthetic]") {
  const SyntheticOptions options{.field_count = 7, .ids_per_field = 500, .seed = 12};
  const SyntheticCriteo data(options);
  Batch whole;
  std::vector<double> probabilities;
  data.Generate(100, 60, whole, &probabilities);
  Batch part;
  data.Generate(130, 10, part);

  for (std::size_t e = 0; e < part.size; ++e) {
    CHECK(part.labels[e] == whole.labels[30 + e]);
    for (std::size_t f = 0; f < 7; ++f) {
      CHECK(test::KeysOf(part, e, f) == test::KeysOf(whole, 30 + e, f));
    }
    CHECK(data.TrueProbability(130 + e) == probabilities[30 + e]);
  }
  SyntheticSource source(options, 100, 60);
  CHECK(Equal(NextOf(source, 1000), whole));
  CHECK(NextOf(source, 1000).size == 0);

  SyntheticOptions other = options;
  other.seed = 13;
  Batch different;
  SyntheticCriteo(other).Generate(100, 60, different);
  CHECK(different.keys != whole.keys);
}

TEST_CASE("labels are drawn with the true probability", "[examples][synthetic]") {
  const std::uint64_t seed = GENERATE(values<std::uint64_t>({1, 2, 3}));
  CAPTURE(seed);
  const SyntheticCriteo data({.ids_per_field = 10'000, .seed = seed});
  Batch batch;
  std::vector<double> p;
  data.Generate(0, 20'000, batch, &p);

  // Sums of (label - p) in the lower and upper half of p are near 0, in standard deviations.
  std::vector<double> sorted = p;
  std::ranges::sort(sorted);
  for (const bool upper : {false, true}) {
    double sum = 0;
    double variance = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if ((p[i] >= sorted[p.size() / 2]) != upper) continue;
      sum += double{batch.labels[i]} - p[i];
      variance += p[i] * (1 - p[i]);
    }
    CHECK(std::abs(sum) < 4 * std::sqrt(variance));
  }
}

// AUC by counting pairs.
double CountedAuc(const std::vector<double>& scores, const std::vector<float>& labels) {
  double good = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] <= labels[j]) continue;
      pairs += 1;
      good += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return good / pairs;
}

TEST_CASE("the best reachable score is what the true probabilities score",
          "[examples][synthetic]") {
  const SyntheticCriteo data({.ids_per_field = 10'000, .seed = 8});
  Batch batch;
  std::vector<double> p;
  data.Generate(0, 4000, batch, &p);
  std::vector<double> elsewhere;
  Batch other;
  data.Generate(1'000'000, 40'000, other, &elsewhere);
  double loss = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    loss -= std::log(batch.labels[i] == 1 ? p[i] : 1 - p[i]) / static_cast<double>(p.size());
  }

  const BestScore best = BestReachable(elsewhere);

  CHECK(best.auc > 0.75);
  CHECK(best.auc < 0.95);
  // 4,000 examples: the standard error of the AUC is below 0.01, of the loss too.
  CHECK(CountedAuc(p, batch.labels) == Approx(best.auc).margin(0.025));
  CHECK(loss == Approx(best.log_loss).margin(0.025));
}

TEST_CASE("the AUC that can be reached is a property of the model's scales, not of its seed",
          "[examples][synthetic]") {
  const auto auc = [](std::uint64_t seed) {
    Batch batch;
    std::vector<double> p;
    // Flat ids: with few frequent ones the luck of their effects would decide.
    SyntheticCriteo({.ids_per_field = 50'000, .zipf_exponent = 0.2, .seed = seed})
        .Generate(0, 30'000, batch, &p);
    return BestReachable(std::move(p)).auc;
  };

  CHECK(auc(21) == Approx(auc(22)).margin(0.02));
}

TEST_CASE("the expected AUC and loss of known probabilities are known", "[examples][synthetic]") {
  // Two examples, p and q > p: a pair exists with p(1-q) + q(1-p); it is right with q(1-p).
  const BestScore two = BestReachable({0.8, 0.3});
  CHECK(two.auc == Approx(0.8 * 0.7 / (0.8 * 0.7 + 0.3 * 0.2)));
  CHECK(two.log_loss == Approx(-(0.8 * std::log(0.8) + 0.2 * std::log(0.2) + 0.3 * std::log(0.3) +
                                 0.7 * std::log(0.7)) /
                               2));
  CHECK(BestReachable({0.4, 0.4, 0.4}).auc == Approx(0.5));
}

TEST_CASE("a file of synthetic data reads as what was generated", "[examples][synthetic]") {
  const SyntheticCriteo data({.field_count = 26, .ids_per_field = 3000, .seed = 5});
  const std::string path =
      (std::filesystem::temp_directory_path() / "longtail_synthetic_test.tsv").string();
  REQUIRE(data.WriteTsv(path, 40, 2500).ok());
  Batch want;
  data.Generate(40, 2500, want);

  const auto reader = test::OpenReader(data.MakeSchema(path), "all", {});
  CHECK(Equal(NextOf(*reader, 10'000), want));

  const Schema criteo =
      test::SchemaOf(R"({"format": "criteo", "integers": "log1p", "splits": {"all": {"files": [")" +
                     path + R"("]}}})");
  CHECK(Equal(NextOf(*test::OpenReader(criteo, "all", {}), 10'000), want));
  std::remove(path.c_str());

  CHECK(data.WriteTsv("/nowhere/x.tsv", 0, 1).message() ==
        "/nowhere/x.tsv: cannot be written: No such file or directory");
}

TEST_CASE("options out of range are refused", "[examples][synthetic]") {
  CHECK(Validate(SyntheticOptions{}).ok());
  CHECK(Validate({.field_count = 0}).message() == "synthetic data: field_count 0: wanted 1..1024");
  CHECK(Validate({.ids_per_field = 0}).message() ==
        "synthetic data: ids_per_field 0: wanted 1..4294967296");
  CHECK(Validate({.zipf_exponent = 0}).message() ==
        "synthetic data: zipf_exponent 0: wanted above 0, at most 8");
  CHECK(Validate({.missing_rate = -0.5}).message() ==
        "synthetic data: missing_rate -0.5: wanted 0..1");
  CHECK(Validate({.field_count = 1}).message() ==
        "synthetic data: pair_count 6: wanted 0 with a single field");
  CHECK(Validate({.bias = NAN}).message() == "synthetic data: bias nan: wanted a finite number");
}

}  // namespace
}  // namespace longtail::examples
