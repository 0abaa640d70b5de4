// A chart's axis: where a value lies on it, and which values are worth a tick.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace longtail::examples {

enum class AxisScale : std::uint8_t { kLinear, kLog };

/// How an axis writes its numbers.
enum class NumberStyle : std::uint8_t { kDecimal, kCount, kBytes, kPercent };

struct AxisSpec {
  std::string label{};
  AxisScale scale = AxisScale::kLinear;
  NumberStyle style = NumberStyle::kDecimal;
  bool to_tick = true;  ///< Whether a linear axis is widened to end on ticks.
};

struct Tick {
  double value = 0;
  std::string text{};
};

struct Axis {
  AxisScale scale = AxisScale::kLinear;
  double low = 0;
  double high = 1;
  std::vector<Tick> ticks{};

  /// Returns where the value lies: 0 at the low end, 1 at the high end, clamped to them.
  [[nodiscard]] double Position(double value) const;
};

/// Makes an axis over [low, high] with a handful of ticks at 1, 2 or 5 times a power of ten (of
/// 1024 for bytes), or, on a log axis, at powers of ten.
///
/// An empty or a backward range, or one that is not finite, becomes one around `low`, so that
/// Position is always defined. A log axis takes positive bounds; others are moved to 1.
[[nodiscard]] Axis MakeAxis(const AxisSpec& spec, double low, double high);

}  // namespace longtail::examples
