#include "io/store_address.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace longtail {
namespace {

constexpr std::string_view kFileScheme = "file";
constexpr int kHexadecimal = 16;

absl::Status Refuse(const std::string& address, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("store '", address, "': ", std::string(why)));
}

// "" if the address begins with no scheme: a ':' may well be part of a directory's name.
std::string_view SchemeOf(std::string_view address) {
  const std::size_t colon = address.find(':');
  const bool is_scheme = colon != std::string_view::npos && address.find('/') > colon;
  return is_scheme ? address.substr(0, colon) : std::string_view();
}

absl::StatusOr<std::string> PercentDecoded(const std::string& address, std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const char* const end = digits.data() + digits.size();
    if (digits.size() != 2 || std::from_chars(digits.data(), end, value, kHexadecimal).ptr != end) {
      return Refuse(address, "want two hexadecimal digits after each '%' of an option");
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

absl::Status ParseOptions(const std::string& address, std::string_view text,
                          std::map<std::string, std::string>& options) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('&', begin), text.size());
    const std::string_view option = text.substr(begin, end - begin);
    const std::size_t equals = option.find('=');
    const std::string name(option.substr(0, equals));
    if (name.empty() || equals == std::string_view::npos) {
      return Refuse(address, absl::StrCat("option '", std::string(option), "': want NAME=VALUE"));
    }
    LONGTAIL_ASSIGN_OR_RETURN(std::string value,
                              PercentDecoded(address, option.substr(equals + 1)));
    if (!options.emplace(name, std::move(value)).second) {
      return Refuse(address, absl::StrCat("option '", name, "' is there twice"));
    }
    begin = end + 1;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoreAddress> ParseStoreAddress(const std::string& address) {
  const std::string_view text = address;
  const std::string_view scheme = SchemeOf(text);
  StoreAddress parsed{.scheme = std::string(scheme), .place = {}, .options = {}};
  if (scheme.empty() || scheme == kFileScheme) {
    parsed.scheme = kFileScheme;
    parsed.place = text.substr(scheme.empty() ? 0 : scheme.size() + 1);
    if (!parsed.place.empty()) return parsed;
    return Refuse(address, "want a directory or file:DIRECTORY");
  }
  std::string_view rest = text.substr(scheme.size() + 1);
  if (!rest.starts_with("//")) {
    return Refuse(address, absl::StrCat("scheme '", parsed.scheme, "': want '//' after it"));
  }
  rest.remove_prefix(2);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  parsed.place = rest.substr(0, question);
  while (parsed.place.ends_with('/')) parsed.place.pop_back();
  if (parsed.place.empty()) return Refuse(address, "names no place after '//'");
  if (question < rest.size()) {
    LONGTAIL_RETURN_IF_ERROR(ParseOptions(address, rest.substr(question + 1), parsed.options));
  }
  return parsed;
}

std::string JoinStoreAddress(const std::string& address, const std::string& name) {
  const std::string_view scheme = SchemeOf(address);
  const bool has_options = !scheme.empty() && scheme != kFileScheme;
  const std::size_t end =
      has_options ? std::min(address.find('?'), address.size()) : address.size();
  return absl::StrCat(address.substr(0, end), "/", name, address.substr(end));
}

}  // namespace longtail
