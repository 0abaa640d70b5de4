// A run as one page to look at, mail and keep.
#pragma once

#include <string>

#include "examples/common/report/run_report.h"

namespace longtail::examples {

/// Returns one self-contained HTML file: no script, nothing loaded from anywhere, light and dark,
/// fit for a phone, a screen reader and paper. It is well-formed XML after its first line. Sections
/// without data are left out.
///
/// Cost: tens of kilobytes, whatever the length of the run; lines are drawn with at most
///       kLinePointCountMax points.
[[nodiscard]] std::string ToHtml(const RunReport& report);

}  // namespace longtail::examples
