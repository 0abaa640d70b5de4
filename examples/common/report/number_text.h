// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace longtail::examples {

/// Returns the number with `digits` decimals; "n/a" if it is not finite.
[[nodiscard]] std::string FixedText(double value, int digits);

/// Returns the number with thousands separators: "1,234,567".
[[nodiscard]] std::string GroupedText(std::uint64_t value);

/// Returns about three digits and a decimal unit: "950", "1.23 k", "45.6 M", "7.89 G"; "n/a" if the
/// value is not finite.
[[nodiscard]] std::string CompactText(double value);

/// Returns about three digits and a binary unit: "512 B", "1.25 GiB".
[[nodiscard]] std::string BytesText(std::uint64_t bytes);

/// Returns BytesText in at most seven characters or so, for where there is little room: "1.3 GiB".
[[nodiscard]] std::string ShortBytesText(std::uint64_t bytes);

/// Returns a part of a whole: "12.3 %"; "< 0.1 %" for what would round to zero and is not.
[[nodiscard]] std::string PercentText(double share);

/// Returns a length of time: "0.42 s", "37 s", "2 min 05 s", "1 h 23 min", "3 d 04 h"; "n/a" if it
/// is negative or not finite.
[[nodiscard]] std::string DurationText(double seconds);

/// Returns the quotient, or 0 if there is nothing to divide by.
[[nodiscard]] inline double Ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace longtail::examples
