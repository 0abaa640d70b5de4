// The words of a text, as a topic model counts them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "examples/topics/segmenter.h"
#include "examples/topics/utf8.h"

namespace longtail::examples {

enum class TextKind : std::uint8_t {
  kWords,    ///< Words with blanks between them.
  kChinese,  ///< Text that a segmenter cuts.
};

/// "words", "chinese".
const char* NameOf(TextKind kind);

struct TokenizerOptions {
  TextKind kind = TextKind::kWords;
  std::string segmenter;             ///< Chinese: the directory of its dictionary and model.
  std::string stop_words;            ///< A file of words, one a line, that are left out; or empty.
  std::uint32_t characters_min = 1;  ///< Shorter words are left out.
};

/// Letters of ASCII become small ones. What has neither a letter, a digit nor a character of a
/// language is no word.
///
/// Thread: one owner.
class Tokenizer {
 public:
  /// Errors: those of Segmenter::Load; NotFound (stop words).
  static absl::StatusOr<Tokenizer> Make(const TokenizerOptions& options);

  /// Cuts with `segmenter`, or at blanks if there is none.
  explicit Tokenizer(std::optional<Segmenter> segmenter) : segmenter_(std::move(segmenter)) {}

  /// Sets `words` to those of `text`. Returns the offset of the first byte that is not UTF-8, and
  /// then no words.
  std::optional<std::size_t> Cut(std::string_view text, std::vector<std::string>& words);

 private:
  void CutAtBlanks(std::string_view text);

  std::optional<Segmenter> segmenter_;
  absl::flat_hash_set<std::string> stop_words_;
  std::uint32_t characters_min_ = 1;
  std::vector<Rune> runes_;
  std::vector<std::string_view> parts_;
};

}  // namespace longtail::examples
