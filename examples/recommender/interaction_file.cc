#include "examples/recommender/interaction_file.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/cell_splitter.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples::recommender {
namespace {

std::optional<LineProblem> ParseTime(const Cell& cell, std::int64_t& time) {
  const char* const end = cell.text.data() + cell.text.size();
  const auto [stop, error] = std::from_chars(cell.text.data(), end, time);
  if (error == std::errc() && stop == end) return {};
  return LineProblem{cell.offset,
                     absl::StrCat("time ", Quoted(cell.text), ": wanted a whole number")};
}

// The cell of a column that counts from 1; a problem if the line has no such column or nothing in
// it.
std::optional<LineProblem> FindCell(const std::vector<Cell>& cells, std::uint32_t column,
                                    const char* what, std::string_view line, const Cell*& cell) {
  if (column > cells.size()) {
    return LineProblem{line.size(), absl::StrCat("no column ", column, " (", what,
                                                 "): the line has ", cells.size())};
  }
  cell = &cells[column - 1];
  if (!cell->text.empty()) return {};
  return LineProblem{cell->offset, absl::StrCat("the ", what, " is empty")};
}

// Takes one line; a problem leaves it out.
using TakeLine = std::function<std::optional<LineProblem>(std::string_view line,
                                                          const std::vector<Cell>& cells)>;

absl::Status ReadLines(const std::string& path, const std::string& separator, bool header,
                       OnBadLine on_bad_line, BadLines& bad_lines, const TakeLine& take) {
  LONGTAIL_ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenFile(path));
  LineReader reader(path, std::move(source));
  CellSplitter splitter(separator, separator == "," ? Quotes::kDouble : Quotes::kNone);
  std::vector<Cell> cells;
  std::string_view line;
  while (true) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool there_is_one, reader.Next(line));
    if (!there_is_one) return absl::OkStatus();
    if ((header && reader.line_number() == 1) || line.empty()) continue;
    LineProblem problem;
    std::optional<LineProblem> found;
    if (splitter.Split(line, cells, problem)) {
      found = take(line, cells);
    } else {
      found = problem;
    }
    if (!found) continue;
    const absl::Status error = BadLineError(path, reader.line_number(), *found);
    if (on_bad_line == OnBadLine::kFail) return error;
    ++bad_lines.count;
    if (bad_lines.messages.size() < kBadLineMessagesMax) {
      bad_lines.messages.emplace_back(error.message());
    }
  }
}

std::optional<LineProblem> TakeColumns(const FileFormat& format, std::string_view line,
                                       const std::vector<Cell>& cells, Names& names,
                                       std::vector<Interaction>& interactions) {
  const Cell* user = nullptr;
  const Cell* item = nullptr;
  if (auto problem = FindCell(cells, format.user_column, "user", line, user)) return problem;
  if (auto problem = FindCell(cells, format.item_column, "item", line, item)) return problem;
  Interaction interaction;
  if (format.rating_column != 0) {
    const Cell* cell = nullptr;
    if (auto problem = FindCell(cells, format.rating_column, "rating", line, cell)) return problem;
    const std::optional<double> rating = ParseNumber(cell->text);
    if (!rating) {
      return LineProblem{cell->offset,
                         absl::StrCat("rating ", Quoted(cell->text), ": wanted a number")};
    }
    interaction.rating = static_cast<float>(*rating);
  }
  if (format.time_column != 0) {
    const Cell* cell = nullptr;
    if (auto problem = FindCell(cells, format.time_column, "time", line, cell)) return problem;
    if (auto problem = ParseTime(*cell, interaction.time)) return problem;
  }
  // Last, so that a bad line names nobody.
  interaction.user = names.users.Add(user->text);
  interaction.item = names.items.Add(item->text);
  interactions.push_back(interaction);
  return {};
}

// A user without items is no bad line: there are such in published splits.
std::optional<LineProblem> TakeList(const std::vector<Cell>& cells, Names& names,
                                    std::vector<Interaction>& interactions) {
  std::size_t end = cells.size();
  while (end > 1 && cells[end - 1].text.empty()) --end;  // Spaces behind the last item.
  for (std::size_t i = 0; i < end; ++i) {
    if (cells[i].text.empty()) {
      return LineProblem{cells[i].offset,
                         absl::StrCat(i == 0 ? "the user" : "an item", " is empty")};
    }
  }
  const std::uint32_t user = names.users.Add(cells[0].text);
  for (std::size_t i = 1; i < end; ++i) {
    interactions.push_back({.user = user, .item = names.items.Add(cells[i].text)});
  }
  return {};
}

}  // namespace

absl::StatusOr<std::vector<Interaction>> ReadInteractions(const std::string& path,
                                                          const FileFormat& format,
                                                          OnBadLine on_bad_line, Names& names) {
  std::vector<Interaction> interactions;
  const bool is_lists = format.layout == FileLayout::kLists;
  LONGTAIL_RETURN_IF_ERROR(
      ReadLines(path, is_lists ? " " : format.separator, format.header, on_bad_line,
                names.bad_lines, [&](std::string_view line, const std::vector<Cell>& cells) {
                  return is_lists ? TakeList(cells, names, interactions)
                                  : TakeColumns(format, line, cells, names, interactions);
                }));
  return interactions;
}

absl::StatusOr<std::vector<Title>> ReadTitles(const TitleFile& file, OnBadLine on_bad_line,
                                              Names& names) {
  std::vector<Title> titles(names.items.size());
  LONGTAIL_RETURN_IF_ERROR(ReadLines(
      file.path, file.separator, file.header, on_bad_line, names.bad_lines,
      [&](std::string_view line, const std::vector<Cell>& cells) -> std::optional<LineProblem> {
        const Cell* id = nullptr;
        const Cell* title = nullptr;
        if (auto problem = FindCell(cells, file.item_column, "item", line, id)) return problem;
        if (auto problem = FindCell(cells, file.title_column, "title", line, title)) return problem;
        const std::optional<std::uint32_t> item = names.items.Find(id->text);
        if (!item) return {};
        titles[*item].text = std::string(title->text);
        if (file.note_column != 0 && file.note_column <= cells.size()) {
          titles[*item].note = std::string(cells[file.note_column - 1].text);
        }
        return {};
      }));
  return titles;
}

}  // namespace longtail::examples::recommender
