// A part of a corpus as it is trained on: its tokens, word by word.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace longtail::examples {

/// Tokens of some documents, ordered by word: a word's counts are then needed once a block.
struct TokenBlock {
  std::uint32_t document_count = 0;
  std::vector<std::uint32_t> words;      ///< Numbers in the vocabulary, ascending, each once.
  std::vector<std::uint32_t> ends;       ///< [words] where the word's tokens end.
  std::vector<std::uint32_t> documents;  ///< [tokens] the document of each, from 0 in the block.

  std::size_t token_count() const { return documents.size(); }
  std::uint32_t begin(std::size_t word) const { return word == 0 ? 0 : ends[word - 1]; }
};

/// The topic of a token that has none yet.
inline constexpr std::uint32_t kNoTopic = 0xFFFFFFFF;

/// How many tokens of each document have each topic: lists of those that there are, most often few.
class DocumentTopics {
 public:
  struct Entry {
    std::uint32_t topic = 0;
    std::uint32_t count = 0;
  };

  /// Counts `topics`, those of the block's tokens in their order; kNoTopic is left out.
  void Count(const TokenBlock& block, std::span<const std::uint32_t> topics);

  /// The topics of a document, in no order.
  std::span<const Entry> Of(std::uint32_t document) const {
    return {entries_.data() + begins_[document], sizes_[document]};
  }

  std::uint32_t document_count() const { return static_cast<std::uint32_t>(sizes_.size()); }

  /// Takes one token's topic away; it must be there.
  void Remove(std::uint32_t document, std::uint32_t topic) {
    Entry* const first = entries_.data() + begins_[document];
    Entry* entry = first;
    while (entry->topic != topic) ++entry;
    if (--entry->count == 0) *entry = first[--sizes_[document]];
  }

  /// Adds one token's topic; the document may not have more than its tokens.
  void Add(std::uint32_t document, std::uint32_t topic) {
    Entry* const first = entries_.data() + begins_[document];
    Entry* const end = first + sizes_[document];
    for (Entry* entry = first; entry != end; ++entry) {
      if (entry->topic == topic) {
        ++entry->count;
        return;
      }
    }
    *end = {.topic = topic, .count = 1};
    ++sizes_[document];
  }

  /// Has the processor fetch a document's list, which is wanted soon.
  void Prefetch(std::uint32_t document) const {
    __builtin_prefetch(entries_.data() + begins_[document]);
  }

 private:
  std::vector<std::uint32_t> begins_;  // [documents + 1] in entries_.
  std::vector<std::uint32_t> sizes_;   // [documents]
  std::vector<Entry> entries_;         // As many a document as it has tokens.
};

}  // namespace longtail::examples
