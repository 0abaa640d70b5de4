// A corpus made ready for training: blocks of tokens on disk, and its vocabulary.
//
//   vocabulary.txt       a word a line, by number
//   block-00000.tokens   see TokenBlock, number_file.h
//   corpus.json          written last: without it the store is not there
//
// A block at a time is in memory, so the corpus may be larger than that.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/topics/document_reader.h"
#include "examples/topics/token_block.h"
#include "examples/topics/vocabulary.h"

namespace longtail::examples {

/// Thread: any, once it is open.
class DocumentStore {
 public:
  /// Reads the corpus and writes the store of `directory`, in the place of what an earlier attempt
  /// left. A block ends with the document with which it has `block_tokens` tokens.
  ///
  /// Errors: those of DocumentReader; InvalidArgument (no document has a word); Unavailable.
  static absl::StatusOr<DocumentStore> Prepare(const std::string& directory, const CorpusSpec& spec,
                                               std::uint32_t block_tokens);

  /// Errors: NotFound (there is none, or it was not finished); DataLoss naming the file.
  static absl::StatusOr<DocumentStore> Open(const std::string& directory);

  std::uint32_t block_count() const { return block_count_; }
  const CorpusCounts& counts() const { return counts_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  TextKind text_kind() const { return text_kind_; }

  /// Errors: NotFound; DataLoss naming the file.
  absl::StatusOr<TokenBlock> ReadBlock(std::uint32_t block) const;

 private:
  std::string directory_;
  std::uint32_t block_count_ = 0;
  CorpusCounts counts_;
  Vocabulary vocabulary_;
  TextKind text_kind_ = TextKind::kWords;
};

}  // namespace longtail::examples
