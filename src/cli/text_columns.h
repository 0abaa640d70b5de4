// Aligned columns of text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace longtail::cli {

/// Lines, each indented by two blanks and ended. The cells of the first `right_columns` columns are
/// aligned to the right, the others to the left. No blanks end a line. Cells are ASCII, but for the
/// last of a line.
std::string ColumnsText(const std::vector<std::vector<std::string>>& lines,
                        std::size_t right_columns);

}  // namespace longtail::cli
