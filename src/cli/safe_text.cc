#include "cli/safe_text.h"

#include <cstddef>
#include <cstdint>

namespace longtail::cli {

std::string SafeText(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const auto next = static_cast<std::uint8_t>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {  // A control character of Latin-1.
      safe += '?';
      ++i;
    } else {
      safe += byte < 0x20 || byte == 0x7F ? '?' : text[i];
    }
  }
  return safe;
}

}  // namespace longtail::cli
