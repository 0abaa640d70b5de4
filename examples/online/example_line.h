// A joined example as a line of text: in what is saved, in what travels, and in digests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "examples/online/log_joiner.h"

namespace longtail::examples {

/// joined_ms, 0 or 1, id, at_ms, then features, with tabs between; without a line's end. When its
/// event was written is left out: it is for lag alone, and not known of what was joined anew.
std::string LineOf(const Example& example);

/// Errors: DataLoss.
absl::StatusOr<Example> ParseExample(std::string_view line);

/// Of a line and all before it: equal for equal lines in equal order.
std::uint64_t DigestAfter(std::uint64_t digest, std::string_view line);

}  // namespace longtail::examples
