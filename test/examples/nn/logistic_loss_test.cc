#include "examples/common/nn/logistic_loss.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

namespace longtail::examples {
namespace {

// -log of the likelihood, in long double: no trick for large logits needed below 10,000.
long double Loss(long double z, long double y) {
  return y * std::log(1 + std::exp(-z)) + (1 - y) * std::log(1 + std::exp(z));
}

TEST_CASE("loss and gradients are those of the definition, for logits of any size",
          "[nn][logistic_loss]") {
  const std::vector<float> logits = {-9000, -88, -20, -1.5F, -1e-4F, 0.3F, 2, 19, 90, 9000};
  const float label = GENERATE(0.0F, 1.0F, 0.3F);
  CAPTURE(label);
  constexpr float kScale = 0.25F;
  const std::vector<float> labels(logits.size(), label);
  std::vector<float> gradients(logits.size());

  const double sum = LogisticLoss(logits, labels, kScale, gradients);

  long double want = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    CAPTURE(logits[i]);
    const long double z = logits[i];
    const long double y = label;
    want += Loss(z, y);
    const long double slope = (Loss(z + 1e-5L, y) - Loss(z - 1e-5L, y)) / 2e-5L;
    CHECK(static_cast<double>(gradients[i]) ==
          Approx(static_cast<double>(slope) * 0.25).epsilon(1e-4).margin(1e-9));
    CHECK(Sigmoid(logits[i]) == Approx(static_cast<double>(1 / (1 + std::exp(-z)))).epsilon(1e-6));
  }
  CHECK(sum == Approx(static_cast<double>(want)).epsilon(1e-12));
}

}  // namespace
}  // namespace longtail::examples
