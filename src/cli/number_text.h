// Numbers as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace longtail::cli {

/// "1,234,567"
std::string GroupedText(std::uint64_t value);

/// "12.3 %"; "< 0.1 %" for what would round to zero and is not; "-" of nothing.
std::string ShareText(std::uint64_t part, std::uint64_t whole);

/// Six digits or fewer: "0.0123457".
std::string ShortText(double value);

/// The first values in short, and "…" if there are more.
std::string ValuesText(std::span<const float> values, std::size_t count_max);

/// The count and the noun, with an s unless it is one: "1 row", "9,371 rows".
std::string CountedText(std::uint64_t count, const char* noun);

}  // namespace longtail::cli
