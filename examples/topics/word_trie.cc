#include "examples/topics/word_trie.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"
#include "examples/topics/utf8.h"

namespace longtail::examples {
namespace {

// What a dictionary may have in all: beyond that a line's number is no frequency.
constexpr std::uint64_t kFrequencyMax = std::uint64_t{1} << 40;

}  // namespace

absl::StatusOr<WordTrie> WordTrie::Load(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(path));
  LineReader lines(path, std::move(source));
  WordTrie trie;
  std::vector<Rune> runes;
  std::string_view line;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines.Next(line));
    if (!has_line) break;
    if (line.empty()) continue;
    const std::size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    if (const auto offset = DecodeUtf8(word, runes); offset || word.empty()) {
      return BadLineError(
          path, lines.line_number(),
          {.offset = offset.value_or(0),
           .message = absl::StrCat(Quoted(std::string(word)), ": wanted a word in UTF-8")});
    }
    std::uint64_t frequency = 0;
    const char* const first = blank == std::string_view::npos ? nullptr : line.data() + blank + 1;
    const char* const end = line.data() + line.size();
    const auto [rest, error] = first == nullptr
                                   ? std::from_chars_result{nullptr, std::errc::invalid_argument}
                                   : std::from_chars(first, end, frequency);
    if (error != std::errc() || (rest != end && *rest != ' ') || frequency > kFrequencyMax) {
      return BadLineError(path, lines.line_number(),
                          {.offset = word.size(),
                           .message = absl::StrCat("no frequency after ", Quoted(std::string(word)),
                                                   ": wanted a number up to ", kFrequencyMax)});
    }
    trie.Add(word, frequency);
  }
  return trie;
}

void WordTrie::Add(std::string_view word, std::uint64_t frequency) {
  std::vector<Rune> runes;
  if (DecodeUtf8(word, runes) || runes.empty()) return;
  Node node = kRoot;
  for (const Rune& rune : runes) {
    const auto [edge, is_new] = edges_.try_emplace((std::uint64_t{node} << 21) | rune.code,
                                                   static_cast<Node>(frequencies_.size()));
    if (is_new) frequencies_.push_back(0);
    node = edge->second;
  }
  if (frequencies_[node] == 0 && frequency > 0) ++word_count_;
  if (frequencies_[node] > 0 && frequency == 0) --word_count_;
  total_ += frequency - frequencies_[node];
  frequencies_[node] = frequency;
}

}  // namespace longtail::examples
