// The documents of a corpus, one a line of its files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/data/line_reader.h"
#include "examples/topics/tokenizer.h"
#include "examples/topics/vocabulary.h"

namespace longtail::examples {

/// Which documents of a corpus: its number in the files, from 1, says which it is.
enum class CorpusPart : std::uint8_t {
  kAll,
  kTrain,    ///< Those whose number is not a multiple of test_every.
  kHeldOut,  ///< The others.
};

struct CorpusSpec {
  std::vector<std::string> files;  ///< Plain or compressed.
  /// Lines of "number:count …" of words of this file, one word a line from number 0 on; empty:
  /// lines of text.
  std::string vocabulary;
  TokenizerOptions text;
  std::uint32_t column = 0;  ///< Of text between tabs, from 1; 0: the whole line.
  CorpusPart part = CorpusPart::kAll;
  std::uint32_t test_every = 10;
};

/// What came of the lines of a corpus.
struct CorpusCounts {
  std::uint64_t documents = 0;  ///< With words.
  std::uint64_t tokens = 0;
  std::uint64_t empty = 0;        ///< Lines without a word that counts.
  std::uint64_t undecodable = 0;  ///< Lines that are not UTF-8; they are left out.
  std::string first_undecodable;  ///< FILE:LINE:BYTE of the first of them.
};

/// Memory does not depend on the corpus.
class DocumentReader {
 public:
  /// Errors: InvalidArgument (no file); those of Tokenizer::Make and Vocabulary::Load.
  static absl::StatusOr<std::unique_ptr<DocumentReader>> Open(const CorpusSpec& spec);

  /// Sets `words` to the next document's, with repeats, none if it has none; false at the end.
  ///
  /// Errors: InvalidArgument naming file, line and byte (numbers and counts that are none, a column
  ///         that is not there); those of LineReader.
  absl::StatusOr<bool> Next(std::vector<std::string>& words);

  /// The words that lines of numbers are of; null for text.
  const Vocabulary* vocabulary() const { return vocabulary_ ? &*vocabulary_ : nullptr; }
  const CorpusCounts& counts() const { return counts_; }

 private:
  DocumentReader(const CorpusSpec& spec, std::optional<Tokenizer> tokenizer,
                 std::optional<Vocabulary> vocabulary)
      : spec_(spec), tokenizer_(std::move(tokenizer)), vocabulary_(std::move(vocabulary)) {}

  absl::Status ReadNumbers(std::string_view line, std::vector<std::string>& words);
  absl::Status ReadText(std::string_view line, std::vector<std::string>& words);

  const CorpusSpec spec_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<Vocabulary> vocabulary_;
  std::size_t file_ = 0;
  std::unique_ptr<LineReader> lines_;
  std::uint64_t number_ = 0;
  CorpusCounts counts_;
};

/// All documents of a corpus as numbers of `vocabulary`; words that it lacks get numbers behind its
/// own, the same for the same text.
///
/// Errors: those of DocumentReader.
absl::StatusOr<std::vector<std::vector<std::uint32_t>>> ReadNumbered(const CorpusSpec& spec,
                                                                     const Vocabulary& vocabulary,
                                                                     CorpusCounts& counts);

}  // namespace longtail::examples
