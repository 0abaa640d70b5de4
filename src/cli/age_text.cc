#include "cli/age_text.h"

#include <charconv>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace longtail::cli {
namespace {

constexpr std::uint32_t kNumberMax = 1'000'000;

absl::Duration UnitOf(char letter) {
  switch (letter) {
    case 's':
      return absl::Seconds(1);
    case 'm':
      return absl::Minutes(1);
    case 'h':
      return absl::Hours(1);
    case 'd':
      return absl::Hours(24);
    case 'w':
      return absl::Hours(24 * 7);
    default:
      return absl::ZeroDuration();
  }
}

}  // namespace

absl::StatusOr<absl::Duration> ParseAge(std::string_view text) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  const bool has_unit = error == std::errc() && unit + 1 == end;
  const absl::Duration one = has_unit ? UnitOf(*unit) : absl::ZeroDuration();
  if (one != absl::ZeroDuration() && number <= kNumberMax) return number * one;
  return absl::InvalidArgumentError(absl::StrCat("age '", std::string(text),
                                                 "': want a whole number up to ", kNumberMax,
                                                 " and one of s, m, h, d, w, such as 7d"));
}

}  // namespace longtail::cli
