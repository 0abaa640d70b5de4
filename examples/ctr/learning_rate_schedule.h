// The factor of the learning rate at each step.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace longtail::examples {

enum class RateDecay : std::uint8_t { kNone, kLinear, kCosine };

/// Rises from 0 over `warmup` steps, then falls to `final` at step `steps`, and stays there.
struct LearningRateSchedule {
  std::uint64_t warmup = 0;
  RateDecay decay = RateDecay::kNone;
  std::uint64_t steps = 0;
  float final = 0;

  /// Source of the cosine: Loshchilov, Hutter, "SGDR", ICLR 2017, equation 5, without restarts.
  float Factor(std::uint64_t step) const {
    if (step < warmup) return static_cast<float>(step + 1) / static_cast<float>(warmup);
    if (decay == RateDecay::kNone || steps <= warmup) return 1;
    const double done =
        std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(steps - warmup));
    const double left =
        decay == RateDecay::kLinear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
    return static_cast<float>(final + (1 - final) * left);
  }
};

}  // namespace longtail::examples
