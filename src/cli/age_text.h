// Ages as people write them.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace longtail::cli {

/// Reads a whole number and one of s, m, h, d, w: "7d".
///
/// Errors: InvalidArgument, naming the text and what was wanted.
absl::StatusOr<absl::Duration> ParseAge(std::string_view text);

}  // namespace longtail::cli
