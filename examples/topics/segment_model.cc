#include "examples/topics/segment_model.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples {
namespace {

enum State : std::size_t { kBegin, kEnd, kMiddle, kSingle };

// The logarithm that stands for a probability of 0 in the files.
constexpr double kNever = -3.14e+100;

// What may come before a state, in the order in which equal paths are preferred.
constexpr std::array<std::array<State, 2>, 4> kBefore = {
    {{kSingle, kEnd}, {kMiddle, kBegin}, {kMiddle, kBegin}, {kSingle, kEnd}}};

// The next line that is no comment.
absl::StatusOr<std::string_view> NextLine(LineReader& lines, std::string_view wanted) {
  std::string_view line;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines.Next(line));
    if (!has_line) {
      return absl::InvalidArgumentError(
          absl::StrCat(lines.name(), ": ends before ", std::string(wanted)));
    }
    if (!line.empty() && line[0] != '#') return line;
  }
}

absl::Status ReadNumbers(LineReader& lines, std::string_view wanted, std::span<double> numbers) {
  LONGTAIL_ASSIGN_OR_RETURN(std::string_view line, NextLine(lines, wanted));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const auto number = ParseNumber(line.substr(0, end));
    if (!number) {
      return BadLineError(
          lines.name(), lines.line_number(),
          {.offset = 0,
           .message = absl::StrCat("wanted ", numbers.size(), " numbers: ", std::string(wanted))});
    }
    numbers[i] = *number;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SegmentModel> SegmentModel::Load(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(path));
  LineReader lines(path, std::move(source));
  SegmentModel model;
  LONGTAIL_RETURN_IF_ERROR(ReadNumbers(lines, "the first state's logarithms", model.start_));
  for (auto& row : model.transition_) {
    LONGTAIL_RETURN_IF_ERROR(ReadNumbers(lines, "the transitions' logarithms", row));
  }
  std::vector<Rune> runes;
  for (auto& characters : model.emission_) {
    LONGTAIL_ASSIGN_OR_RETURN(std::string_view line, NextLine(lines, "the characters of a state"));
    while (!line.empty()) {
      const std::string_view entry = line.substr(0, line.find(','));
      const std::size_t colon = entry.rfind(':');
      const auto number =
          colon == std::string_view::npos ? std::nullopt : ParseNumber(entry.substr(colon + 1));
      if (!number || DecodeUtf8(entry.substr(0, colon), runes) || runes.size() != 1) {
        return BadLineError(path, lines.line_number(),
                            {.offset = 0,
                             .message = absl::StrCat(Quoted(std::string(entry)),
                                                     ": wanted a character:logarithm")});
      }
      characters[runes[0].code] = *number;
      line.remove_prefix(std::min(entry.size() + 1, line.size()));
    }
  }
  return model;
}

void SegmentModel::Cut(std::span<const Rune> runes, std::vector<std::size_t>& ends) const {
  if (runes.empty()) return;
  const auto emission = [&](std::size_t state, char32_t code) {
    const auto found = emission_[state].find(code);
    return found == emission_[state].end() ? kNever : found->second;
  };
  std::vector<std::array<State, kStates>> from(runes.size());
  std::array<double, kStates> best{};
  for (std::size_t s = 0; s < kStates; ++s) best[s] = start_[s] + emission(s, runes[0].code);
  for (std::size_t i = 1; i < runes.size(); ++i) {
    std::array<double, kStates> next{};
    for (std::size_t s = 0; s < kStates; ++s) {
      const auto [first, second] = std::pair(kBefore[s][0], kBefore[s][1]);
      const double a = best[first] + transition_[first][s];
      const double b = best[second] + transition_[second][s];
      from[i][s] = a >= b ? first : second;
      next[s] = std::max(a, b) + emission(s, runes[i].code);
    }
    best = next;
  }
  std::vector<State> states(runes.size());
  states.back() = best[kSingle] >= best[kEnd] ? kSingle : kEnd;
  for (std::size_t i = runes.size() - 1; i > 0; --i) states[i - 1] = from[i][states[i]];
  for (std::size_t i = 0; i < runes.size(); ++i) {
    const bool ends_here = states[i] == kEnd || states[i] == kSingle;
    if (ends_here || i + 1 == runes.size()) ends.push_back(i + 1);
  }
}

}  // namespace longtail::examples
