#include "examples/common/report/number_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>

namespace longtail::examples {
namespace {

constexpr std::array<const char*, 6> kByteUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};

// A value that is below `base` in its unit, where it can be, with `digits` digits or all before the
// point.
std::string ScaledText(double value, double base, std::span<const char* const> units,
                       int digit_count) {
  std::size_t unit = 0;
  while (std::abs(value) >= base * 0.9995 && unit + 1 < units.size()) {
    value /= base;
    ++unit;
  }
  const double size = std::abs(value);
  const bool whole = unit == 0 && value == std::floor(value);
  const int before_point = size >= 99.95 ? 3 : size >= 9.995 ? 2 : 1;
  const std::string number = FixedText(value, whole ? 0 : std::max(0, digit_count - before_point));
  return units[unit][0] == '\0' ? number : number + " " + units[unit];
}

std::string Padded(long long value) {
  return std::string(value < 10 ? "0" : "").append(std::to_string(value));
}

}  // namespace

std::string FixedText(double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  std::array<char, 352> text{};  // The widest double has 309 digits before the point.
  const int size =
      std::snprintf(text.data(), text.size(), "%.*f", std::clamp(digits, 0, 17), value);
  return std::string(text.data(), static_cast<std::size_t>(size));
}

std::string GroupedText(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string CompactText(double value) {
  if (!std::isfinite(value)) return "n/a";
  static constexpr std::array<const char*, 5> kUnits{"", "k", "M", "G", "T"};
  return ScaledText(value, 1000, kUnits, 3);
}

std::string BytesText(std::uint64_t bytes) {
  return ScaledText(static_cast<double>(bytes), 1024, kByteUnits, 3);
}

std::string ShortBytesText(std::uint64_t bytes) {
  return ScaledText(static_cast<double>(bytes), 1024, kByteUnits, 2);
}

std::string PercentText(double share) {
  if (!std::isfinite(share)) return "n/a";
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  if (share < 1 && share >= 0.9995) return "> 99.9 %";
  return FixedText(100 * share, 1) + " %";
}

std::string DurationText(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "n/a";
  if (seconds < 9.995) return FixedText(seconds, 2) + " s";
  // Beyond this a length of time is a mistake, and would not fit the integer.
  const long long whole = std::llround(std::min(seconds, 1e15));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + Padded(whole % 60) + " s";
  const long long minutes = whole / 60;
  if (whole < 86400) return std::to_string(minutes / 60) + " h " + Padded(minutes % 60) + " min";
  return std::to_string(whole / 86400) + " d " + Padded(whole % 86400 / 3600) + " h";
}

}  // namespace longtail::examples
