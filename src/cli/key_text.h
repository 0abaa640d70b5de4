// Keys as people write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "longtail/ids.h"

namespace longtail::cli {

/// Reads decimal digits, or "0x" and hexadecimal ones.
///
/// Errors: InvalidArgument, naming the text and what was wanted.
absl::StatusOr<Key> ParseKey(std::string_view text);

/// Errors: of the first text that is no key.
absl::StatusOr<std::vector<Key>> ParseKeys(const std::vector<std::string>& texts);

/// Both forms: "4919 (0x1337)".
std::string KeyText(Key key);

}  // namespace longtail::cli
