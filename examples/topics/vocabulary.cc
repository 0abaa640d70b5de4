#include "examples/topics/vocabulary.h"

#include <xxhash.h>

#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/line_reader.h"

namespace longtail::examples {

Key WordKey(std::string_view text) {
  return XXH3_64bits(text.data(), text.size());
}

absl::StatusOr<Vocabulary> Vocabulary::Load(const std::string& path) {
  LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(path));
  LineReader lines(path, std::move(source));
  Vocabulary vocabulary;
  std::string_view line;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines.Next(line));
    if (!has_line) return vocabulary;
    const std::string_view word = line.substr(0, line.find('\t'));
    if (word.empty() || vocabulary.Add(word) + 1 != lines.line_number()) {
      return BadLineError(path, lines.line_number(),
                          {.offset = 0,
                           .message = absl::StrCat(Quoted(word),
                                                   ": wanted a word that no line "
                                                   "before has")});
    }
  }
}

absl::Status Vocabulary::Save(const std::string& path) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  for (const std::string& text : texts_) file << text << '\n';
  file.flush();
  if (file) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("'", path, "': cannot be written; is the disk full?"));
}

std::uint32_t Vocabulary::Add(std::string_view text) {
  const Key key = WordKey(text);
  const auto [word, is_new] = numbers_.try_emplace(key, size());
  if (is_new) {
    texts_.emplace_back(text);
    keys_.push_back(key);
  }
  return word->second;
}

std::optional<std::uint32_t> Vocabulary::Find(std::string_view text) const {
  const auto found = numbers_.find(WordKey(text));
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace longtail::examples
