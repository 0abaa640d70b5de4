// Words of Chinese text, by the rules of jieba's precise mode.
//
// Runs of Han characters, letters and digits are cut along the likeliest path through the words of
// a dictionary; what comes out in single characters is cut again by a model of words' ends, if no
// word of the dictionary is it. Other characters are words of their own, blanks are none.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/topics/segment_model.h"
#include "examples/topics/utf8.h"
#include "examples/topics/word_trie.h"

namespace longtail::examples {

/// Thread: one for each. A copy is cheap: it shares the dictionary and the model.
class Segmenter {
 public:
  /// Without a model, what the dictionary does not have comes out in single characters (Han) or
  /// runs (letters and digits).
  Segmenter(WordTrie words, std::optional<SegmentModel> model)
      : words_(std::make_shared<const WordTrie>(std::move(words))),
        model_(model ? std::make_shared<const SegmentModel>(*std::move(model)) : nullptr) {}

  /// Reads jieba.dict.utf8 and hmm_model.utf8, each with or without .gz, of a directory.
  ///
  /// Errors: NotFound naming both names that were tried; InvalidArgument naming file and line.
  static absl::StatusOr<Segmenter> Load(const std::string& directory);

  /// Appends the words of `runes`, the characters of `text`, to `words`, as parts of `text`.
  void Cut(std::string_view text, std::span<const Rune> runes,
           std::vector<std::string_view>& words);

 private:
  void CutRun(std::span<const Rune> run);
  void CutSingles(std::span<const Rune> singles, std::size_t begin);
  void Route(std::span<const Rune> run);

  std::shared_ptr<const WordTrie> words_;
  std::shared_ptr<const SegmentModel> model_;  // Null: there is none.
  // Of one call, kept for the next.
  std::vector<std::size_t> ends_;        // Of words, in characters of the text.
  std::vector<std::size_t> route_;       // By character of the run: the end of its likeliest word.
  std::vector<double> score_;            // By character of the run: of the likeliest path from it.
  std::vector<std::size_t> model_ends_;  // Of words, in characters of what the model was given.
};

}  // namespace longtail::examples
