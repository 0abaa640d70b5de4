#include "examples/common/report/axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "examples/common/report/number_text.h"

namespace longtail::examples {
namespace {

constexpr double kTickCountWanted = 5;
constexpr int kDecadeTicksMax = 5;  // So that "0.0001 %" has room.

// The smallest 1, 2 or 5 times a power of ten that is at least `least`.
double NiceStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

struct Unit {
  double size = 1;
  const char* suffix = "";
};

Unit UnitOf(NumberStyle style, double largest) {
  static constexpr std::array<Unit, 5> kCounts{
      {{1, ""}, {1e3, " k"}, {1e6, " M"}, {1e9, " G"}, {1e12, " T"}}};
  static constexpr std::array<Unit, 5> kBytes{{{1, " B"},
                                               {1024.0, " KiB"},
                                               {1048576.0, " MiB"},
                                               {1073741824.0, " GiB"},
                                               {1099511627776.0, " TiB"}}};
  if (style == NumberStyle::kDecimal) return {};
  if (style == NumberStyle::kPercent) return {0.01, " %"};
  const auto& units = style == NumberStyle::kBytes ? kBytes : kCounts;
  std::size_t i = 0;
  // 868 MiB is on an axis from 0 to 1 GiB, not to 1000 MiB.
  const double early = style == NumberStyle::kBytes ? 0.5 : 1;
  while (i + 1 < units.size() && largest >= early * units[i + 1].size) ++i;
  return units[i];
}

int DigitsFor(double step) {
  return std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
}

std::string TickText(double value, double step, Unit unit) {
  if (value == 0) return "0";
  return FixedText(value / unit.size, DigitsFor(step / unit.size)) + unit.suffix;
}

Axis MakeLinear(const AxisSpec& spec, double low, double high) {
  const double largest = std::max(std::abs(low), std::abs(high));
  // A range that a double cannot split any more is no range.
  if (!(high - low > largest * 1e-9)) high = low + (largest > 0 ? largest * 0.1 : 1);
  const Unit unit = UnitOf(spec.style, std::max(std::abs(low), std::abs(high)));
  double step = NiceStep((high - low) / kTickCountWanted / unit.size) * unit.size;
  // A part of a thing, or of a byte, is no tick.
  const bool whole = spec.style == NumberStyle::kCount || spec.style == NumberStyle::kBytes;
  if (whole) step = std::max(step, 1.0);
  Axis axis{.low = low, .high = high, .ticks = {}};
  double first = std::ceil(low / step - 1e-9);
  double last = std::floor(high / step + 1e-9);
  if (spec.to_tick) {
    first = std::floor(low / step + 1e-9);
    last = std::ceil(high / step - 1e-9);
    axis.low = first * step;
    axis.high = last * step;
  }
  for (double i = first; i <= last; i += 1) {
    axis.ticks.push_back({.value = i * step, .text = TickText(i * step, step, unit)});
  }
  return axis;
}

Axis MakeLog(const AxisSpec& spec, double low, double high) {
  if (!(low > 0)) low = 1;
  if (!(high > low)) high = low * 10;
  const int first = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  const int last = std::max(first + 1, static_cast<int>(std::ceil(std::log10(high) - 1e-9)));
  Axis axis{.scale = AxisScale::kLog,
            .low = std::pow(10, first),
            .high = std::pow(10, last),
            .ticks = {}};
  const int stride = (last - first) / kDecadeTicksMax + 1;
  // Counted from the high end, which is the one that has a name (100 %, all rows).
  for (int power = last; power >= first; power -= stride) {
    const double value = std::pow(10, power);
    axis.ticks.push_back(
        {.value = value, .text = TickText(value, value, UnitOf(spec.style, value))});
  }
  std::ranges::reverse(axis.ticks);
  return axis;
}

}  // namespace

double Axis::Position(double value) const {
  if (scale == AxisScale::kLinear) return std::clamp((value - low) / (high - low), 0.0, 1.0);
  if (!(value > 0)) return 0;
  return std::clamp(std::log(value / low) / std::log(high / low), 0.0, 1.0);
}

Axis MakeAxis(const AxisSpec& spec, double low, double high) {
  if (!std::isfinite(low)) low = 0;
  if (!std::isfinite(high)) high = low;
  return spec.scale == AxisScale::kLog ? MakeLog(spec, low, high) : MakeLinear(spec, low, high);
}

}  // namespace longtail::examples
