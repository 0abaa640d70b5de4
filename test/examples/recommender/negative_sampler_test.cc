#include "examples/recommender/negative_sampler.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace longtail::examples::recommender {
namespace {

const std::vector<std::uint32_t> kCounts = {9, 0, 1, 4};

TEST_CASE("items are drawn by the power of their counts", "[examples][recommender][sampler]") {
  struct Case {
    double power;
    std::vector<double> want;  // Item 1 counts as half an interaction.
  };
  const std::vector<Case> cases = {{0, {0.25, 0.25, 0.25, 0.25}},
                                   {1, {9 / 14.5, 0.5 / 14.5, 1 / 14.5, 4 / 14.5}}};
  for (const auto& [power, want] : cases) {
    CAPTURE(power);
    const NegativeSampler sampler(kCounts, power, 1);
    std::vector<double> drawn(kCounts.size());
    constexpr int kDraws = 100'000;
    for (int i = 0; i < kDraws; ++i) {  // Evenly over [0, 1): no chance in it.
      drawn[sampler.Draw((i + 0.5) / kDraws)] += 1.0 / kDraws;
    }
    for (std::uint32_t i = 0; i < kCounts.size(); ++i) {
      CAPTURE(i);
      CHECK(sampler.Probability(i) == Approx(want[i]));
      CHECK(drawn[i] == Approx(want[i]).margin(1e-4));
    }
    CHECK(sampler.Draw(0) == 0);
    CHECK(sampler.Draw(std::nextafter(1.0, 0.0)) == 3);
  }
}

TEST_CASE("the correction is the logarithm of how often an item is expected",
          "[examples][recommender][sampler]") {
  const NegativeSampler whole(kCounts, 1, 1);
  CHECK(whole.LogitOffset(0, 100) == Approx(std::log(100 * 9 / 14.5)));
  CHECK(NegativeSampler(kCounts, 1, 0.5).LogitOffset(0, 100) ==
        Approx(std::log(100 * 9 / 14.5) / 2));
  CHECK(NegativeSampler(kCounts, 1, 0).LogitOffset(0, 100) == 0);
}

// What the correction is for: whoever is drawn, the sum over drawn items estimates that over all.
TEST_CASE("corrected samples estimate the sum over all items", "[examples][recommender][sampler]") {
  const std::vector<double> logits = {0.3, -1.2, 2.0, 0.9};
  double all = 0;
  for (const double l : logits) all += std::exp(l);
  for (const double power : {0.0, 0.5, 1.0}) {
    const NegativeSampler sampler(kCounts, power, 1);
    constexpr std::size_t kDraws = 400'000;
    Rng rng(3);
    double estimate = 0;
    for (std::size_t i = 0; i < kDraws; ++i) {
      const std::uint32_t item = sampler.Draw(static_cast<double>(rng.Next() >> 11) * 0x1p-53);
      estimate += std::exp(logits[item] - static_cast<double>(sampler.LogitOffset(item, kDraws)));
    }
    CAPTURE(power);
    CHECK(estimate == Approx(all).epsilon(0.02));
  }
}

}  // namespace
}  // namespace longtail::examples::recommender
