#include "examples/topics/utf8.h"

namespace longtail::examples {

std::optional<std::size_t> DecodeUtf8(std::string_view text, std::vector<Rune>& runes) {
  runes.clear();
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80           ? 1
                             : (first >> 5) == 0x06 ? 2
                             : (first >> 4) == 0x0E ? 3
                             : (first >> 3) == 0x1E ? 4
                                                    : 0;
    if (size == 0 || i + size > text.size()) return i;
    char32_t code = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t j = 1; j < size; ++j) {
      const auto byte = static_cast<unsigned char>(text[i + j]);
      if ((byte >> 6) != 0x02) return i;
      code = (code << 6) | (byte & 0x3FU);
    }
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (CharacterSize(code) != size || code > 0x10FFFF || is_surrogate) return i;
    runes.push_back({.code = code, .begin = static_cast<std::uint32_t>(i)});
    i += size;
  }
  return std::nullopt;
}

bool IsBlank(char32_t code) {
  return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F) ||
         code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

}  // namespace longtail::examples
