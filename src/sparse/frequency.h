// Training by how often a row was seen: the formulas, each in one place.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/host_device.h"
#include "longtail/optimizer_spec.h"
#include "sparse/adam.h"
#include "sparse/gradient.h"
#include "sparse/row_step.h"

namespace longtail::sparse {

/// What the formulas ask of a row.
struct RowFrequency {
  std::uint32_t count = 0;        ///< With the examples of this push.
  std::uint32_t occurrences = 0;  ///< The examples of this push.
  std::uint32_t idle = 0;         ///< Steps since the row's last push; 0 for a new row.
};

/// Whether any part is on.
inline bool UsesFrequency(const FrequencySpec& spec) {
  return spec.rate_power > 0 || spec.decay_power != 0 || spec.cow_clip > 0 ||
         spec.cow_clip_floor > 0 || spec.idle_decay > 0 || spec.group_lasso > 0;
}

/// base^power for base >= 1 and a power that is a multiple of a quarter, from roots and products
/// alone: the same bits everywhere, which pow is not.
LONGTAIL_HOST_DEVICE inline double QuarterPower(double base, float power) {
  const double quarters = static_cast<double>(power) * 4;
  const auto n = static_cast<std::uint32_t>(quarters < 0 ? -quarters : quarters);
  const double raised = IntegerPower(std::sqrt(std::sqrt(base)), n);
  return quarters < 0 ? 1 / raised : raised;
}

/// What the learning rate is multiplied by.
///
///   min(1, (count / from)^-power)
///
/// Source: Li, Choudhary, Wei, Yuan, Iacob, Xie, Bian, Liu, "Frequency-aware SGD for Efficient
///         Embedding Learning with Provable Benefits", ICLR 2022: a token's rate falls with the
///         root of its frequency (power 0.5), which its counter estimates.
LONGTAIL_HOST_DEVICE inline float CountRate(const FrequencySpec& spec, std::uint32_t count) {
  const double ratio = static_cast<double>(count) / static_cast<double>(spec.rate_from);
  if (!(spec.rate_power > 0) || ratio <= 1) return 1.0F;
  return static_cast<float>(QuarterPower(ratio, -spec.rate_power));
}

/// The weight decay of a row: weight_decay * count^power.
///
/// Source: Zhou, Zhu, Song, Fan, Zhu, Ma, Yan, Jin, Li, Gai, "Deep Interest Network for
///         Click-Through Rate Prediction", KDD 2018, section 5.1: a feature's penalty is divided
///         by its occurrences (power -1).
LONGTAIL_HOST_DEVICE inline float CountDecay(float weight_decay, const FrequencySpec& spec,
                                             std::uint32_t count) {
  if (spec.decay_power == 0) return weight_decay;
  const double base = count == 0 ? 1.0 : static_cast<double>(count);
  return static_cast<float>(static_cast<double>(weight_decay) *
                            QuarterPower(base, spec.decay_power));
}

/// What a row's gradient is multiplied by so that its norm is at most
///
///   occurrences * max(cow_clip * |w|, cow_clip_floor)
///
/// Source: Zheng, Xu, Zou, Tang, Li, Xue, Sun, You, "CowClip: Reducing CTR Prediction Model
///         Training Time from 12 Hours to 10 Minutes on 1 GPU", AAAI 2023, algorithm 1, there for
///         the mean over a batch of which the gradient here is the sum.
LONGTAIL_HOST_DEVICE inline float CowClipScale(const FrequencySpec& spec, std::uint32_t occurrences,
                                               double weight_squares, double gradient_squares) {
  const double by_weights = static_cast<double>(spec.cow_clip) * std::sqrt(weight_squares);
  const double floor = static_cast<double>(spec.cow_clip_floor);
  const double bound = static_cast<double>(occurrences) * (by_weights > floor ? by_weights : floor);
  const double norm = std::sqrt(gradient_squares);
  return norm > bound ? static_cast<float>(bound / norm) : 1.0F;
}

/// What the weights are multiplied by after `idle` steps without a push.
///
///   (1 - idle_decay)^idle
///
/// Source: Carpenter, "Lazy Sparse Stochastic Gradient Descent for Regularized Multinomial Logistic
///         Regression", 2008: regularisation of untouched weights is made good at the next touch.
LONGTAIL_HOST_DEVICE inline float IdleFactor(const FrequencySpec& spec, std::uint32_t idle) {
  return static_cast<float>(IntegerPower(1 - static_cast<double>(spec.idle_decay), idle));
}

/// What the weights are multiplied by after the rule, for a shrinkage of their norm.
///
///   max(0, 1 - shrinkage / |w|), shrinkage = learning rate * group_lasso
///
/// Source: Duchi, Singer, "Efficient Online and Batch Learning using Forward Backward Splitting",
///         JMLR 10 (2009), equation 24, the mixed norm l1/l2.
LONGTAIL_HOST_DEVICE inline float GroupLassoScale(float shrinkage, double weight_squares) {
  const double norm = std::sqrt(weight_squares);
  const double kept = norm - static_cast<double>(shrinkage);
  return kept > 0 ? static_cast<float>(kept / norm) : 0.0F;
}

inline void Scale(float* values, std::size_t count, float factor) {
  for (std::size_t i = 0; i < count; ++i) values[i] *= factor;
}

}  // namespace longtail::sparse
