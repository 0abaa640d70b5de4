#include "examples/common/data/row_scanner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kColumnsInMessage = 12;

}  // namespace

RowScanner::RowScanner(const TableFormat& table, LineReader lines)
    : table_(table),
      lines_(std::move(lines)),
      splitter_(table.separator, table.quotes),
      columns_(table.columns) {}

absl::StatusOr<std::unique_ptr<RowScanner>> RowScanner::Open(const FileOpener& opener,
                                                             const std::string& path,
                                                             const TableFormat& table) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source = opener(path);
  if (!source.ok()) return source.status();
  std::unique_ptr<RowScanner> scanner(new RowScanner(table, LineReader(path, *std::move(source))));
  if (table.header == Header::kFirstLine) {
    if (absl::Status status = scanner->ReadHeader(); !status.ok()) return status;
  }
  return scanner;
}

absl::Status RowScanner::ReadHeader() {
  std::string_view line;
  const absl::StatusOr<bool> found = Next(line);
  if (!found.ok()) return found.status();
  LineProblem problem;
  if (!*found) {
    problem.message = "'' is an empty file; wanted a header line with the names of the columns";
    return BadLineError(name(), 1, problem);
  }
  std::vector<Cell> cells;
  if (!splitter_.Split(line, cells, problem)) return BadLineError(name(), line_number(), problem);
  columns_.clear();
  for (const Cell& cell : cells) {
    if (std::ranges::find(columns_, cell.text) != columns_.end()) {
      problem = {cell.offset, absl::StrCat("column ", Quoted(cell.text),
                                           " is named twice in the header; wanted it once")};
      return BadLineError(name(), line_number(), problem);
    }
    if (columns_.size() == kColumnCountMax) {
      problem = {cell.offset, absl::StrCat("column ", Quoted(cell.text),
                                           " is one too many; wanted at most ", kColumnCountMax)};
      return BadLineError(name(), line_number(), problem);
    }
    columns_.emplace_back(cell.text);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RowScanner::Next(std::string_view& line) {
  while (true) {
    absl::StatusOr<bool> found = lines_.Next(line);
    if (!found.ok() || !*found || !line.empty()) return found;
  }
}

bool RowScanner::Split(std::string_view line, std::vector<Cell>& cells, LineProblem& problem) {
  if (!splitter_.Split(line, cells, problem)) return false;
  if (cells.size() == columns_.size()) return true;
  const bool is_long = cells.size() > columns_.size();
  problem.offset = is_long ? cells[columns_.size()].offset : line.size();
  problem.message = absl::StrCat(Quoted(is_long ? line.substr(problem.offset) : cells.back().text),
                                 " ", is_long ? "is one cell too many" : "is the last cell",
                                 ": the line has ", cells.size(), "; wanted ", columns_.size());
  return false;
}

std::optional<std::size_t> RowScanner::FindColumn(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name);
  if (found == columns_.end()) return {};
  return static_cast<std::size_t>(found - columns_.begin());
}

absl::Status RowScanner::NoColumnError(std::string_view name, std::string_view purpose) const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(columns_.size(), kColumnsInMessage));
  LineProblem problem;
  problem.message = absl::StrCat("no column ", Quoted(name), ", which ", std::string(purpose),
                                 " needs; wanted it among ",
                                 absl::StrJoin(columns_.begin(), columns_.begin() + count, ", "),
                                 columns_.size() > kColumnsInMessage ? ", ..." : "");
  return BadLineError(this->name(), 1, problem);
}

}  // namespace longtail::examples
