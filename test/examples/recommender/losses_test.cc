// Closed forms where there are such, and differences of the loss for the derivatives.
#include "examples/recommender/losses.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace longtail::examples::recommender {
namespace {

using Loss = float (*)(float& positive, std::span<float> negatives);

double LossAt(Loss loss, float positive, std::vector<float> negatives) {
  return loss(positive, negatives);
}

TEST_CASE("the softmax of equal scores is the logarithm of how many there are",
          "[examples][recommender][losses]") {
  float positive = 2.5F;
  std::vector<float> negatives(7, 2.5F);
  CHECK(SoftmaxLoss(positive, negatives) == Approx(std::log(8.0)));
  CHECK(positive == Approx(1.0 / 8 - 1));
  for (const float g : negatives) CHECK(g == Approx(1.0 / 8));
}

TEST_CASE("against one negative softmax and BPR are the logistic loss of the difference",
          "[examples][recommender][losses]") {
  const float difference = GENERATE(-30.0F, -2.0F, 0.0F, 0.5F, 30.0F);
  CAPTURE(difference);
  for (const Loss loss : {Loss{SoftmaxLoss}, Loss{BprLoss}}) {
    float positive = 1 + difference;
    std::vector<float> negatives = {1};
    CHECK(loss(positive, negatives) ==
          Approx(std::log1p(std::exp(-static_cast<double>(difference)))).margin(1e-6));
    const double share = 1 / (1 + std::exp(static_cast<double>(difference)));
    CHECK(positive == Approx(-share).margin(1e-6));
    CHECK(negatives[0] == Approx(share).margin(1e-6));
  }
}

TEST_CASE("derivatives are the differences of the loss", "[examples][recommender][losses]") {
  const bool is_softmax = GENERATE(true, false);
  const Loss loss = is_softmax ? Loss{SoftmaxLoss} : Loss{BprLoss};
  const float positive = 0.3F;
  const std::vector<float> negatives = {0.7F, -1.1F, 0.2F, kMaskedScore, 1.9F};
  float by_positive = positive;
  std::vector<float> by_negatives = negatives;
  loss(by_positive, by_negatives);
  constexpr float kStep = 1e-2F;
  const double difference =
      (LossAt(loss, positive + kStep, negatives) - LossAt(loss, positive - kStep, negatives)) /
      (2 * kStep);
  CHECK(by_positive == Approx(difference).margin(1e-4));
  for (std::size_t n = 0; n < negatives.size(); ++n) {
    CAPTURE(n);
    if (negatives[n] == kMaskedScore) {
      CHECK(by_negatives[n] == 0);
      continue;
    }
    std::vector<float> above = negatives;
    std::vector<float> below = negatives;
    above[n] += kStep;
    below[n] -= kStep;
    const double by_n =
        (LossAt(loss, positive, above) - LossAt(loss, positive, below)) / (2 * kStep);
    CHECK(by_negatives[n] == Approx(by_n).margin(1e-4));
  }
}

TEST_CASE("a masked negative does not count, and with none left nothing moves",
          "[examples][recommender][losses]") {
  float positive = 0.4F;
  std::vector<float> masked = {kMaskedScore, 0.9F};
  std::vector<float> alone = {0.9F};
  float other = positive;
  CHECK(BprLoss(positive, masked) == BprLoss(other, alone));
  CHECK(positive == other);
  for (const Loss loss : {Loss{SoftmaxLoss}, Loss{BprLoss}}) {
    positive = 0.4F;
    masked = {kMaskedScore, kMaskedScore};
    CHECK(loss(positive, masked) == 0);
    CHECK(positive == 0);
    CHECK(masked == std::vector<float>{0, 0});
  }
}

TEST_CASE("the squared loss is half the square", "[examples][recommender][losses]") {
  float prediction = 3.5F;
  CHECK(SquaredLoss(prediction, 5) == 1.125F);
  CHECK(prediction == -1.5F);
}

}  // namespace
}  // namespace longtail::examples::recommender
