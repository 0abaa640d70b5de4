#include "examples/common/report/safe_text.h"

#include <algorithm>
#include <cstdint>

namespace longtail::examples {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD.

// The bytes of the code point that `text` begins with; 0 if it begins with none that is allowed.
// Overlong forms, surrogates and non-characters (which XML refuses) are none.
std::size_t CodePointSize(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  std::uint32_t point = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    point = point << 6 | (byte(i) & 0x3FU);
  }
  const std::uint32_t smallest = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  if (point < smallest || point > 0x10FFFF) return 0;
  if (point >= 0xD800 && point <= 0xDFFF) return 0;
  if (point >= 0x80 && point <= 0x9F) return 0;      // Control characters of Latin-1.
  if (point >= 0x202A && point <= 0x202E) return 0;  // These turn the direction of what follows.
  if (point >= 0x2066 && point <= 0x2069) return 0;
  if ((point & 0xFFFE) == 0xFFFE) return 0;
  return size;
}

}  // namespace

std::string SafeText(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t size = CodePointSize(text);
    if (size > 0) {
      safe += text.substr(0, size);
    } else if (text[0] == '\t' || text[0] == '\n' || text[0] == '\r') {
      safe += ' ';
    } else {
      safe += kReplacement;
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return safe;
}

std::string EscapeHtml(std::string_view text) {
  std::string html;
  for (const char c : SafeText(text)) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::size_t WidthOf(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace longtail::examples
