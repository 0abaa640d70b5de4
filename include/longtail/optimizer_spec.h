// How the rows of a table learn: one rule, and what is done to gradients and weights around it.
#pragma once

#include <cstdint>
#include <variant>

namespace longtail {

/// Plain descent: w -= learning_rate * g. No state.
struct SgdSpec {
  float learning_rate = 0.01F;  ///< > 0.

  bool operator==(const SgdSpec&) const = default;
};

enum class MomentumKind : std::uint8_t {
  kHeavyBall = 0,  ///< w -= learning_rate * v
  kNesterov = 1,   ///< w -= learning_rate * (g + momentum * v)
};

/// Descent along a running sum v = momentum * v + g. State: dim floats.
struct MomentumSpec {
  float learning_rate = 0.01F;  ///< > 0.
  float momentum = 0.9F;        ///< 0 <= momentum < 1.
  MomentumKind kind = MomentumKind::kHeavyBall;

  bool operator==(const MomentumSpec&) const = default;
};

/// A rate for each weight, by the sum of its squared gradients. State: dim floats.
struct AdagradSpec {
  float learning_rate = 0.01F;       ///< > 0.
  float initial_accumulator = 0.1F;  ///< >= 0: the sum a new row starts with.
  float epsilon = 1e-8F;             ///< > 0, added outside the root.

  bool operator==(const AdagradSpec&) const = default;
};

/// A rate for each row, by the sum of its mean squared gradients. State: one float.
struct RowwiseAdagradSpec {
  float learning_rate = 0.01F;       ///< > 0.
  float initial_accumulator = 0.1F;  ///< >= 0: the sum a new row starts with.
  float epsilon = 1e-8F;             ///< > 0, added outside the root.

  bool operator==(const RowwiseAdagradSpec&) const = default;
};

/// Adam, lazy: a row moves only when it is pushed, and its bias correction counts the row's own
/// steps, so that a rare row's first step is as long as a frequent row's first step was.
/// State: 2 * dim + 1 floats.
struct AdamSpec {
  float learning_rate = 0.001F;  ///< > 0.
  float beta1 = 0.9F;            ///< 0 <= beta1 < 1.
  float beta2 = 0.999F;          ///< 0 <= beta2 < 1.
  float epsilon = 1e-8F;         ///< > 0, added outside the root.

  bool operator==(const AdamSpec&) const = default;
};

/// Follow the regularised leader, proximal: sparse weights by l1. State: 2 * dim floats.
///
/// A row whose initial weights are not zero starts from a state that gives just these weights, so
/// its first step leads away from them and not from zero.
struct FtrlSpec {
  float alpha = 0.05F;  ///< > 0, the learning rate.
  float beta = 1.0F;    ///< > 0.
  float l1 = 0.0F;      ///< >= 0.
  float l2 = 0.0F;      ///< >= 0.

  bool operator==(const FtrlSpec&) const = default;
};

/// The rules there are. The order is part of stored formats: append only.
using OptimizerRule =
    std::variant<SgdSpec, MomentumSpec, AdagradSpec, RowwiseAdagradSpec, AdamSpec, FtrlSpec>;

/// Training by how often a row was seen. `count` is the row's count with the examples of this push;
/// formulas and sources: src/sparse/frequency.h. 0 switches a part off.
struct FrequencySpec {
  /// The learning rate is multiplied by (count / rate_from)^-rate_power where count > rate_from.
  float rate_power = 0.0F;  ///< 0..2, a multiple of 0.25.
  float rate_from = 1.0F;   ///< >= 1.

  /// The weight decay is multiplied by count^decay_power: below 0 rare rows are held back more,
  /// above 0 frequent ones.
  float decay_power = 0.0F;  ///< -2..2, a multiple of 0.25.

  /// The norm of a row's gradient is bounded by n * max(cow_clip * |w|, cow_clip_floor), n the
  /// examples behind this push; 0 for both: no bound.
  float cow_clip = 0.0F;        ///< >= 0.
  float cow_clip_floor = 0.0F;  ///< >= 0.

  /// The weights are multiplied by (1 - idle_decay)^n before a push, n the steps since the last.
  /// Not for FTRL, whose weights follow from its state.
  float idle_decay = 0.0F;  ///< 0 <= idle_decay < 1.

  /// After the rule a row's norm shrinks by learning_rate * group_lasso, to zero at most. Rows of
  /// zeros can be evicted (EvictionSpec::min_norm). Not for FTRL.
  float group_lasso = 0.0F;  ///< >= 0.

  bool operator==(const FrequencySpec&) const = default;
};

/// A push to a row does, in this order: decay idle weights, clip the gradient by value, by norm and
/// by CowClip, add the weight decay, apply the rule, shrink by group lasso, clip the weights. 0
/// switches a part off.
struct OptimizerSpec {
  OptimizerRule rule = AdagradSpec{};
  float weight_decay = 0.0F;        ///< >= 0: weight_decay * weight is added to the gradient of
                                    ///< each row that is pushed (L2), and to no other.
  float gradient_clip = 0.0F;       ///< >= 0: bound of |g| of each element.
  float gradient_norm_clip = 0.0F;  ///< >= 0: bound of the Euclidean norm of a row's gradient.
  float weight_clip = 0.0F;         ///< >= 0: bound of |w| after the rule.
  FrequencySpec frequency{};

  bool operator==(const OptimizerSpec&) const = default;
};

}  // namespace longtail
