#include "examples/topics/tokenizer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/status_macros.h"
#include "examples/common/data/byte_source.h"
#include "examples/common/data/line_reader.h"

namespace longtail::examples {
namespace {

struct Range {
  char32_t first = 0;
  char32_t last = 0;
};

// Signs beyond ASCII that are no letters: of Latin 1, of general punctuation to box drawing, of
// CJK, and the full-width forms of ASCII's.
constexpr Range kSigns[] = {{0x80, 0xBF},     {0x2000, 0x2BFF}, {0x3000, 0x303F},
                            {0xFE30, 0xFE6F}, {0xFF00, 0xFF0F}, {0xFF1A, 0xFF20},
                            {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFFC, 0xFFFF}};

bool IsOfLanguage(char32_t code) {
  if (code < 0x80) return IsAsciiAlphanumeric(code);
  return std::ranges::none_of(kSigns,
                              [&](const Range& r) { return r.first <= code && code <= r.last; });
}

}  // namespace

const char* NameOf(TextKind kind) {
  return kind == TextKind::kWords ? "words" : "chinese";
}

absl::StatusOr<Tokenizer> Tokenizer::Make(const TokenizerOptions& options) {
  std::optional<Segmenter> segmenter;
  if (options.kind == TextKind::kChinese) {
    LONGTAIL_ASSIGN_OR_RETURN(segmenter, Segmenter::Load(options.segmenter));
  }
  Tokenizer tokenizer(std::move(segmenter));
  tokenizer.characters_min_ = options.characters_min;
  if (options.stop_words.empty()) return tokenizer;
  LONGTAIL_ASSIGN_OR_RETURN(auto source, OpenFile(options.stop_words));
  LineReader lines(options.stop_words, std::move(source));
  std::string_view line;
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const bool has_line, lines.Next(line));
    if (!has_line) return tokenizer;
    tokenizer.stop_words_.insert(absl::AsciiStrToLower({line.data(), line.size()}));
  }
}

void Tokenizer::CutAtBlanks(std::string_view text) {
  std::size_t begin = 0;
  for (const Rune& rune : runes_) {
    if (!IsBlank(rune.code)) continue;
    if (rune.begin > begin) parts_.push_back(text.substr(begin, rune.begin - begin));
    begin = rune.begin + CharacterSize(rune.code);
  }
  if (begin < text.size()) parts_.push_back(text.substr(begin));
}

std::optional<std::size_t> Tokenizer::Cut(std::string_view text, std::vector<std::string>& words) {
  words.clear();
  parts_.clear();
  if (const auto offset = DecodeUtf8(text, runes_)) return offset;
  if (segmenter_) {
    segmenter_->Cut(text, runes_, parts_);
  } else {
    CutAtBlanks(text);
  }
  for (const std::string_view part : parts_) {
    std::string word = absl::AsciiStrToLower({part.data(), part.size()});
    DecodeUtf8(word, runes_);
    const bool is_word =
        runes_.size() >= characters_min_ &&
        std::ranges::any_of(runes_, [](const Rune& rune) { return IsOfLanguage(rune.code); });
    if (is_word && !stop_words_.contains(word)) words.push_back(std::move(word));
  }
  return std::nullopt;
}

}  // namespace longtail::examples
