// Text from outside (names, paths, settings), made safe for a page and for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longtail::examples {

/// Returns valid UTF-8 on one line: what is not UTF-8 and every control character (an escape
/// sequence, a line end) becomes U+FFFD or, for tab and line end, a space.
[[nodiscard]] std::string SafeText(std::string_view text);

/// Returns SafeText with the characters that mean something to HTML and XML as entities; fit for
/// content and for attributes in double quotes.
[[nodiscard]] std::string EscapeHtml(std::string_view text);

/// Returns the number of code points of valid UTF-8: its width, near enough, in a terminal.
[[nodiscard]] std::size_t WidthOf(std::string_view text);

}  // namespace longtail::examples
