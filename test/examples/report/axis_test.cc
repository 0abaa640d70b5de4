#include "examples/common/report/axis.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

namespace longtail::examples {
namespace {

std::vector<std::string> TextsOf(const Axis& axis) {
  std::vector<std::string> texts;
  for (const Tick& tick : axis.ticks) texts.push_back(tick.text);
  return texts;
}

TEST_CASE("ticks are round numbers in the unit at hand", "[report][axis]") {
  using Texts = std::vector<std::string>;
  CHECK(TextsOf(MakeAxis({}, 0.443, 0.612)) ==
        Texts{"0.40", "0.45", "0.50", "0.55", "0.60", "0.65"});
  CHECK(TextsOf(MakeAxis({.style = NumberStyle::kPercent}, 0, 1)) ==
        Texts{"0", "20 %", "40 %", "60 %", "80 %", "100 %"});
  CHECK(TextsOf(MakeAxis({.style = NumberStyle::kCount, .to_tick = false}, 61'117, 36'670'200)) ==
        Texts{"10 M", "20 M", "30 M"});
  CHECK(TextsOf(MakeAxis({.style = NumberStyle::kBytes}, 0, 868.0 * 1048576)) ==
        Texts{"0", "0.2 GiB", "0.4 GiB", "0.6 GiB", "0.8 GiB", "1.0 GiB"});
  CHECK(TextsOf(MakeAxis({.scale = AxisScale::kLog, .style = NumberStyle::kCount}, 1, 9000)) ==
        Texts{"1", "10", "100", "1 k", "10 k"});
  CHECK(TextsOf(MakeAxis({.scale = AxisScale::kLog, .style = NumberStyle::kPercent}, 3e-4, 1)) ==
        Texts{"0.01 %", "0.1 %", "1 %", "10 %", "100 %"});
}

TEST_CASE("any range gives a few ticks in order, and holds what it was made for",
          "[report][axis][property]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 1000));
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const double low = std::pow(10, 18 * uniform() - 6);
  const double high = low * (1 + std::pow(10, 12 * uniform() - 3));
  const auto scale = seed % 2 == 0 ? AxisScale::kLinear : AxisScale::kLog;
  const auto style = static_cast<NumberStyle>(seed / 2 % 4);
  CAPTURE(low, high, scale, style);

  const Axis axis = MakeAxis({.scale = scale, .style = style}, low, high);

  CHECK(axis.ticks.size() >= 2);
  CHECK(axis.ticks.size() <= 9);
  CHECK(axis.low <= low * (1 + 1e-6));
  CHECK(axis.high >= high * (1 - 1e-6));
  for (std::size_t i = 1; i < axis.ticks.size(); ++i) {
    CHECK(axis.ticks[i - 1].value < axis.ticks[i].value);
    CHECK(axis.ticks[i - 1].text != axis.ticks[i].text);
  }
  CHECK(axis.Position(low) <= axis.Position(high));
}

TEST_CASE("an axis over nothing is still an axis", "[report][axis]") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto scale = GENERATE(AxisScale::kLinear, AxisScale::kLog);
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0, 0}, {7, 7}, {5, -3}, {kNan, 1}, {0, kNan}, {kInfinity, -kInfinity}, {-2, -2}}) {
    CAPTURE(low, high);
    const Axis axis = MakeAxis({.scale = scale}, low, high);
    CHECK(axis.low < axis.high);
    CHECK(axis.ticks.size() >= 2);
    CHECK(axis.ticks.size() <= 12);
    CHECK(std::isfinite(axis.Position(3.5)));
  }
}

TEST_CASE("a position is linear in the value, or in its logarithm", "[report][axis]") {
  const Axis linear = MakeAxis({}, 2, 10);
  CHECK(linear.Position(3) - linear.Position(2) == Approx(linear.Position(9) - linear.Position(8)));
  const Axis log = MakeAxis({.scale = AxisScale::kLog}, 1, 10'000);
  CHECK(log.Position(100) == Approx(0.5));
  CHECK(log.Position(0) == 0);
  CHECK(log.Position(1e9) == 1);
}

}  // namespace
}  // namespace longtail::examples
