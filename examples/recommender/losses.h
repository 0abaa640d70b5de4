// What a model is trained for, one example at a time: each function returns the loss, and turns
// scores into its derivatives by them.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace longtail::examples::recommender {

/// The score of a negative that does not count: the example's own item, drawn by chance.
inline constexpr float kMaskedScore = -1e30F;

/// -log(e^positive / (e^positive + sum of e^negative)): the item that was chosen, among those
/// drawn.
inline float SoftmaxLoss(float& positive, std::span<float> negatives) {
  float highest = positive;
  for (const float s : negatives) highest = std::max(highest, s);
  const float own = std::exp(positive - highest);
  float sum = own;
  for (float& s : negatives) {
    s = std::exp(s - highest);
    sum += s;
  }
  const float loss = std::log(sum) - (positive - highest);
  positive = own / sum - 1;
  for (float& s : negatives) s /= sum;
  return loss;
}

/// The mean over negatives of log(1 + e^(negative - positive)): Rendle et al., "BPR: Bayesian
/// Personalized Ranking from Implicit Feedback", UAI 2009, each positive against all of the drawn.
inline float BprLoss(float& positive, std::span<float> negatives) {
  float count = 0;
  for (const float s : negatives) count += s == kMaskedScore ? 0.0F : 1.0F;
  const float weight = count > 0 ? 1 / count : 0;
  float loss = 0;
  float sum = 0;
  for (float& s : negatives) {
    if (s == kMaskedScore) {
      s = 0;
      continue;
    }
    const float margin = s - positive;
    const float share = 1 / (1 + std::exp(-margin));
    loss += weight *
            (margin > 0 ? margin + std::log1p(std::exp(-margin)) : std::log1p(std::exp(margin)));
    s = weight * share;
    sum += s;
  }
  positive = -sum;
  return loss;
}

/// Half the squared distance to a rating.
inline float SquaredLoss(float& prediction, float rating) {
  const float error = prediction - rating;
  prediction = error;
  return error * error / 2;
}

}  // namespace longtail::examples::recommender
