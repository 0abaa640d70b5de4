// Numbers in text.
#pragma once

#include <fast_float/fast_float.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>

namespace longtail::examples {

/// The finite number that all of `text` is; nothing otherwise.
inline std::optional<double> ParseNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return {};
  return number;
}

}  // namespace longtail::examples
