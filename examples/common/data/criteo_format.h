// The raw Criteo display advertising lines: label, 13 integers, 26 categories, tab-separated.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "examples/common/data/schema.h"

namespace longtail::examples {

inline constexpr int kCriteoIntegerCount = 13;
inline constexpr int kCriteoCategoryCount = 26;

/// Sets table, label and features of `schema`. `integers` says what the integers become: "buckets",
/// categorical with Bucketing::kLogSquare; "log1p", numeric; or "both".
///
/// Errors: InvalidArgument if `integers` is another word.
[[nodiscard]] absl::Status SetCriteoFormat(const std::string& integers, Schema& schema);

}  // namespace longtail::examples
