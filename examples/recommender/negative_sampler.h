// Draws items that a user is compared with.
//
// Item i comes with probability q(i) proportional to count(i)^power over the training counts: power
// 0 draws all items alike, 1 as often as they were interacted with. Items that training lacks count
// as half an interaction, so they can be drawn too.
//
// Whoever is drawn often would be pushed down more than the model's loss says. So the logit of a
// drawn item is lowered by the logarithm of how often it is expected among n draws, n q(i), times
// `correction`: with 1 the sampled softmax estimates the softmax over all items. (Bengio and
// Senecal, "Adaptive Importance Sampling to Accelerate Training of a Neural Probabilistic Language
// Model", IEEE TNN 2008; "logQ" in Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large
// Corpus Item Recommendations", RecSys 2019.)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace longtail::examples::recommender {

class NegativeSampler {
 public:
  /// `counts` [items], not empty; `power` and `correction` 0 … 1.
  NegativeSampler(std::span<const std::uint32_t> counts, double power, double correction)
      : correction_(correction), cumulative_(counts.size()) {
    double sum = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      sum += std::pow(std::max(0.5, static_cast<double>(counts[i])), power);
      cumulative_[i] = sum;
    }
    for (double& c : cumulative_) c /= sum;
    cumulative_.back() = 1;
  }

  /// The item that `unit`, a number in [0, 1), stands for.
  std::uint32_t Draw(double unit) const {
    const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), unit);
    const auto item = static_cast<std::size_t>(found - cumulative_.begin());
    return static_cast<std::uint32_t>(std::min(item, cumulative_.size() - 1));
  }

  double Probability(std::uint32_t item) const {
    return cumulative_[item] - (item == 0 ? 0 : cumulative_[item - std::size_t{1}]);
  }

  /// What the logit of an item drawn among `draws` is lowered by.
  float LogitOffset(std::uint32_t item, std::size_t draws) const {
    if (correction_ == 0) return 0;
    return static_cast<float>(correction_ *
                              std::log(static_cast<double>(draws) * Probability(item)));
  }

 private:
  const double correction_;
  std::vector<double> cumulative_;  // [items]
};

}  // namespace longtail::examples::recommender
