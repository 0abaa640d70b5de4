#include "cli/key_text.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail::cli {
namespace {

constexpr int kDecimal = 10;
constexpr int kHexadecimal = 16;

}  // namespace

absl::StatusOr<Key> ParseKey(std::string_view text) {
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = is_hexadecimal ? text.substr(2) : text;
  Key key = 0;
  const char* const end = digits.data() + digits.size();
  const auto [read, error] =
      std::from_chars(digits.data(), end, key, is_hexadecimal ? kHexadecimal : kDecimal);
  if (error == std::errc() && read == end) return key;
  return absl::InvalidArgumentError(absl::StrCat(
      "key '", std::string(text),
      "': want a whole number, 0..18446744073709551615, in decimal digits or as 0x and "
      "hexadecimal ones"));
}

absl::StatusOr<std::vector<Key>> ParseKeys(const std::vector<std::string>& texts) {
  std::vector<Key> keys;
  for (const std::string& text : texts) {
    LONGTAIL_ASSIGN_OR_RETURN(keys.emplace_back(), ParseKey(text));
  }
  return keys;
}

std::string KeyText(Key key) {
  return absl::StrCat(key, " (0x", absl::Hex(key), ")");
}

}  // namespace longtail::cli
