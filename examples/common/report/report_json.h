// A run as JSON, for scripts.
#pragma once

#include <string>

#include "examples/common/report/run_report.h"

namespace longtail::examples {

/// The version of the shape of ToJson, in its member "format". Raised when a member changes meaning
/// or goes; a new member does not raise it.
inline constexpr int kReportFormat = 1;

/// Returns every field of the report, named as in run_report.h, indented. An absent metric, and one
/// that is not finite, is null; text that is not UTF-8 has U+FFFD in its place.
[[nodiscard]] std::string ToJson(const RunReport& report);

}  // namespace longtail::examples
