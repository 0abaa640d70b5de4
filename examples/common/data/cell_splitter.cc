#include "examples/common/data/cell_splitter.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace longtail::examples {

CellSplitter::CellSplitter(std::string separator, Quotes quotes)
    : separator_(std::move(separator)), quotes_(quotes) {}

std::size_t CellSplitter::Find(std::string_view line, std::size_t from) const {
  if (separator_.size() > 1) {
    const std::size_t at = line.find(separator_, from);
    return at == std::string_view::npos ? line.size() : at;
  }
  const void* const at = std::memchr(line.data() + from, separator_[0], line.size() - from);
  if (at == nullptr) return line.size();
  return static_cast<std::size_t>(static_cast<const char*>(at) - line.data());
}

bool CellSplitter::Split(std::string_view line, std::vector<Cell>& cells, LineProblem& problem) {
  cells.clear();
  unescaped_.clear();
  if (quotes_ == Quotes::kDouble) unescaped_.reserve(line.size());
  std::size_t position = 0;
  while (true) {
    Cell cell{.text = {}, .offset = static_cast<std::uint32_t>(position)};
    if (quotes_ == Quotes::kDouble && position < line.size() && line[position] == '"') {
      if (!TakeQuoted(line, position, cell, problem)) return false;
    } else {
      const std::size_t end = position < line.size() ? Find(line, position) : line.size();
      cell.text = line.substr(position, end - position);
      position = end;
    }
    cells.push_back(cell);
    if (position == line.size()) return true;
    position += separator_.size();
  }
}

// Reads the cell whose opening quote is at `position` and moves `position` behind it.
bool CellSplitter::TakeQuoted(std::string_view line, std::size_t& position, Cell& cell,
                              LineProblem& problem) {
  const std::size_t open = position;
  std::size_t from = open + 1;
  const std::size_t kept = unescaped_.size();
  while (true) {
    const std::size_t quote = line.find('"', from);
    if (quote == std::string_view::npos) {
      problem = {open, absl::StrCat("the quote of ", Quoted(line.substr(open)),
                                    " is not closed; wanted a '\"' on the same line")};
      return false;
    }
    const bool is_escape = quote + 1 < line.size() && line[quote + 1] == '"';
    if (is_escape) {
      unescaped_.append(line.substr(from, quote + 1 - from));
      from = quote + 2;
      continue;
    }
    if (unescaped_.size() == kept) {
      cell.text = line.substr(open + 1, quote - open - 1);
    } else {
      unescaped_.append(line.substr(from, quote - from));
      cell.text = std::string_view(unescaped_).substr(kept);
    }
    position = quote + 1;
    break;
  }
  const bool is_closed = position == line.size() || line.substr(position).starts_with(separator_);
  if (!is_closed) {
    problem = {position, absl::StrCat(Quoted(line.substr(position)),
                                      " follows a closing quote; wanted the separator ",
                                      Quoted(separator_), " or the end of the line")};
  }
  return is_closed;
}

}  // namespace longtail::examples
