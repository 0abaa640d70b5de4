// Sigmoid and log loss of logits, stable for any size of logit.
#pragma once

#include <span>

namespace longtail::examples {

/// 1 / (1 + exp(-logit)), without overflow.
float Sigmoid(float logit);

/// Returns the sum of the examples' log losses and writes their gradients by the logits times
/// `scale`; with scale 1 / (examples of the global batch), those of its mean loss.
///
///   loss = max(z, 0) - z y + log(1 + exp(-|z|));   gradient = (sigmoid(z) - y) scale
///
/// Shapes: logits, labels, gradients [n]; labels in [0, 1].
double LogisticLoss(std::span<const float> logits, std::span<const float> labels, float scale,
                    std::span<float> gradients);

}  // namespace longtail::examples
