// Lists of column names, with ranges.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace longtail::examples {

/// The names that `name` stands for: itself, or with the form "C1..C26" the names C1, C2, … C26.
///
/// Errors: InvalidArgument if the two prefixes differ, or the range is empty or has more than
/// kColumnCountMax names.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ExpandColumnName(const std::string& name);

/// ExpandColumnName of each name, in order.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ExpandColumnNames(
    const std::vector<std::string>& names);

}  // namespace longtail::examples
