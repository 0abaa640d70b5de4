// The style sheet of the report's page.
#pragma once

#include <string_view>

namespace longtail::examples {

/// Returns CSS without any reference to the outside: system fonts, a light and a dark scheme, one
/// column on a phone, no navigation on paper.
[[nodiscard]] std::string_view ReportStyle();

}  // namespace longtail::examples
