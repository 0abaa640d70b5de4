// The few HTML elements the report is made of. Arguments named `text` are escaped here; those named
// `html` are markup already.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "examples/common/report/run_report.h"

namespace longtail::examples {

/// A table for a page. All cells are text; numbers are those of every column but the first.
struct HtmlTable {
  std::string caption{};
  std::vector<std::string> header{};
  std::vector<std::vector<std::string>> rows{};
};

/// Returns a section with a heading.
[[nodiscard]] std::string Section(std::string_view text, std::string_view html);

[[nodiscard]] std::string Paragraph(std::string_view text);

/// Returns a table with header cells on the top and on the left, in a frame that scrolls sideways
/// on a narrow screen.
[[nodiscard]] std::string TableElement(const HtmlTable& table);

/// Returns names and values as a two-column table; nothing if there are none.
[[nodiscard]] std::string NamedValueTable(std::string_view caption,
                                          const std::vector<NamedValue>& entries);

/// Returns charts side by side where there is room, below each other where not.
[[nodiscard]] std::string ChartGrid(std::string_view html);

}  // namespace longtail::examples
