#include "cli/number_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace longtail::cli {

std::string GroupedText(std::uint64_t value) {
  std::string text = absl::StrCat(value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string ShareText(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  const double percent = 100 * static_cast<double>(part) / static_cast<double>(whole);
  if (part != 0 && percent < 0.05) return "< 0.1 %";
  return absl::StrFormat("%.1f %%", percent);
}

std::string ShortText(double value) {
  return absl::StrFormat("%.6g", value);
}

std::string ValuesText(std::span<const float> values, std::size_t count_max) {
  std::string text;
  for (const float value : values.first(std::min(values.size(), count_max))) {
    absl::StrAppend(&text, text.empty() ? "" : " ", ShortText(double{value}));
  }
  if (values.size() > count_max) absl::StrAppend(&text, " …");
  return text;
}

std::string CountedText(std::uint64_t count, const char* noun) {
  return absl::StrCat(GroupedText(count), " ", noun, count == 1 ? "" : "s");
}

}  // namespace longtail::cli
