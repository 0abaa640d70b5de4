// Text of others, made safe to show in a terminal.
#pragma once

#include <string>
#include <string_view>

namespace longtail::cli {

/// The text with '?' for every control character, which could steer a terminal.
std::string SafeText(std::string_view text);

}  // namespace longtail::cli
