#include "examples/common/report/text_table.h"

#include <algorithm>
#include <cstddef>

#include "examples/common/report/safe_text.h"

namespace longtail::examples {
namespace {

constexpr const char* kBold = "\x1b[1m";
constexpr const char* kDim = "\x1b[2m";
constexpr const char* kReset = "\x1b[0m";
constexpr std::size_t kGap = 2;

std::string Line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::string cell = i < cells.size() ? SafeText(cells[i]) : std::string();
    const std::string pad(widths[i] - WidthOf(cell), ' ');
    if (i > 0) line.append(kGap, ' ');
    line += i == 0 ? cell + pad : pad + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string Painted(const char* paint, const std::string& text, TerminalStyle style) {
  return style.color ? paint + text + kReset : text;
}

}  // namespace

std::string TextOf(const TextTable& table, TerminalStyle style) {
  std::vector<std::size_t> widths(table.header.size(), 0);
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < std::min(cells.size(), widths.size()); ++i) {
      widths[i] = std::max(widths[i], WidthOf(SafeText(cells[i])));
    }
  };
  widen(table.header);
  for (const std::vector<std::string>& row : table.rows) widen(row);
  std::size_t width = widths.empty() ? 0 : kGap * (widths.size() - 1);
  for (const std::size_t column : widths) width += column;
  std::string rule;
  for (std::size_t i = 0; i < width; ++i) rule += style.unicode ? "\u2500" : "-";

  std::string text = Painted(kBold, SafeText(table.title), style) + "\n";
  text += Line(table.header, widths) + "\n";
  text += Painted(kDim, rule, style) + "\n";
  for (const std::vector<std::string>& row : table.rows) text += Line(row, widths) + "\n";
  return text;
}

}  // namespace longtail::examples
