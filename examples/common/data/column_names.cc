#include "examples/common/data/column_names.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {
namespace {

struct NumberedName {
  std::string_view prefix;
  std::uint32_t number = 0;
  bool is_numbered = false;
};

NumberedName SplitNumber(std::string_view name) {
  std::size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') --digits;
  NumberedName result{.prefix = name.substr(0, digits)};
  const std::string_view number = name.substr(digits);
  result.is_numbered =
      absl::SimpleAtoi(absl::string_view(number.data(), number.size()), &result.number);
  return result;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandColumnName(const std::string& name) {
  const std::size_t dots = name.find("..");
  if (dots == std::string::npos) return std::vector<std::string>{name};
  const NumberedName first = SplitNumber(std::string_view(name).substr(0, dots));
  const NumberedName last = SplitNumber(std::string_view(name).substr(dots + 2));
  const bool is_range = first.is_numbered && last.is_numbered && first.prefix == last.prefix &&
                        first.number <= last.number && last.number - first.number < kColumnCountMax;
  if (!is_range) {
    return absl::InvalidArgumentError(absl::StrCat("column range ", Quoted(name),
                                                   ": wanted a form like 'C1..C26', with at most ",
                                                   kColumnCountMax, " names"));
  }
  std::vector<std::string> names;
  for (std::uint64_t i = first.number; i <= last.number; ++i) {
    names.push_back(absl::StrCat(std::string(first.prefix), i));
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> ExpandColumnNames(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names) {
    absl::StatusOr<std::vector<std::string>> some = ExpandColumnName(name);
    if (!some.ok()) return some.status();
    result.insert(result.end(), some->begin(), some->end());
    if (result.size() > kColumnCountMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("columns: more than ", kColumnCountMax, "; wanted at most that many"));
    }
  }
  return result;
}

}  // namespace longtail::examples
