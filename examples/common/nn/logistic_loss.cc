#include "examples/common/nn/logistic_loss.h"

#include <cassert>
#include <cmath>
#include <cstddef>

#include "base/logistic.h"

namespace longtail::examples {

float Sigmoid(float logit) {
  const auto z = static_cast<double>(logit);
  return static_cast<float>(SigmoidOf(z, std::exp(-std::abs(z))));
}

double LogisticLoss(std::span<const float> logits, std::span<const float> labels, float scale,
                    std::span<float> gradients) {
  assert(labels.size() == logits.size() && gradients.size() == logits.size());
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto z = static_cast<double>(logits[i]);
    const auto label = static_cast<double>(labels[i]);
    const double small = std::exp(-std::abs(z));
    loss += LogLossOf(z, label, small);
    gradients[i] = static_cast<float>((SigmoidOf(z, small) - label) * static_cast<double>(scale));
  }
  return loss;
}

}  // namespace longtail::examples
