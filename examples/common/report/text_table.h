// A table of aligned columns for a terminal.
#pragma once

#include <string>
#include <vector>

namespace longtail::examples {

/// What the terminal at hand can show. The caller's main decides: no colour when the output is no
/// terminal or NO_COLOR is set.
struct TerminalStyle {
  bool color = false;
  bool unicode = false;
};

/// The first column is aligned to the left, the others to the right. Rows may be shorter than the
/// header.
struct TextTable {
  std::string title{};
  std::vector<std::string> header{};
  std::vector<std::vector<std::string>> rows{};
};

/// Returns the lines, each ended. Cells are made safe for a terminal (see SafeText).
[[nodiscard]] std::string TextOf(const TextTable& table, TerminalStyle style);

}  // namespace longtail::examples
