// Text as code points: nothing is guessed, so what is not UTF-8 is told from what is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace longtail::examples {

/// A character of a text: its code point, and the byte it begins at.
struct Rune {
  char32_t code = 0;
  std::uint32_t begin = 0;
};

/// Sets `runes` to the characters of `text`. Returns the offset of the first byte that begins no
/// UTF-8 character (overlong forms, surrogates and cut ones are none); nothing if all is well.
std::optional<std::size_t> DecodeUtf8(std::string_view text, std::vector<Rune>& runes);

/// How many bytes a character takes.
constexpr std::size_t CharacterSize(char32_t code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/// The characters that the segmenter looks up in its dictionary: U+4E00 to U+9FD5, as jieba has it.
inline bool IsHan(char32_t code) {
  return code >= 0x4E00 && code <= 0x9FD5;
}

inline bool IsAsciiAlphanumeric(char32_t code) {
  return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') ||
         (code >= 'A' && code <= 'Z');
}

/// Blanks of ASCII and of Unicode, the ideographic one (U+3000) among them.
bool IsBlank(char32_t code);

}  // namespace longtail::examples
