#include "examples/common/data/label_rule.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples {
namespace {

bool Refuse(std::string_view cell, const char* wanted, std::string& message) {
  message = absl::StrCat("label ", Quoted(cell), ": wanted ", wanted);
  return false;
}

}  // namespace

bool ReadLabel(const LabelSpec& spec, std::string_view cell, float& label, std::string& message) {
  if (cell.size() == 1 && !spec.at_least && spec.positive.empty()) {  // The usual case, fast.
    label = cell[0] == '1' ? 1.0F : 0.0F;
    if (cell[0] == '0' || cell[0] == '1') return true;
  }
  if (!spec.positive.empty()) {
    label = std::ranges::find(spec.positive, cell) != spec.positive.end() ? 1.0F : 0.0F;
    return !cell.empty() || Refuse(cell, "a value", message);
  }
  const std::optional<double> number = ParseNumber(cell);
  if (spec.at_least.has_value()) {
    if (!number.has_value()) return Refuse(cell, "a finite number", message);
    label = *number >= *spec.at_least ? 1.0F : 0.0F;
    return true;
  }
  if (number != 0.0 && number != 1.0 && number != -1.0) {
    return Refuse(cell, "0, 1 or -1", message);
  }
  label = number == 1.0 ? 1.0F : 0.0F;
  return true;
}

}  // namespace longtail::examples
