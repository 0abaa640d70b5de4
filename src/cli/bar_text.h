// Bars of a histogram drawn as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace longtail::cli {

enum class BarStyle : std::uint8_t { kAscii, kBlocks };

/// A bar of `width` characters for `value_max`, one in proportion for less: at least one character
/// unless the value is 0.
std::string BarText(std::uint64_t value, std::uint64_t value_max, std::size_t width,
                    BarStyle style);

}  // namespace longtail::cli
