// A dictionary for segmentation: words with how often they occur, found character by character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace longtail::examples {

/// Words, each a path of characters from the root.
///
/// Thread: any, once it is filled.
class WordTrie {
 public:
  using Node = std::uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNone = 0xFFFFFFFF;

  /// Reads lines "word frequency[ tag]", as jieba's dictionaries have them; plain or compressed.
  ///
  /// Errors: NotFound; InvalidArgument naming file, line and what is wrong with it.
  static absl::StatusOr<WordTrie> Load(const std::string& path);

  /// Adds a word of valid UTF-8; the frequency of one that is there is replaced. 0 does not count
  /// as a word.
  void Add(std::string_view word, std::uint64_t frequency);

  /// The node one character on; kNone: no word goes on like this.
  Node Next(Node node, char32_t code) const {
    const auto found = edges_.find((std::uint64_t{node} << 21) | code);
    return found == edges_.end() ? kNone : found->second;
  }

  /// How often the word that ends at this node occurs; 0: none ends here.
  std::uint64_t FrequencyAt(Node node) const { return frequencies_[node]; }

  /// The sum of all frequencies.
  std::uint64_t total() const { return total_; }

  std::uint64_t word_count() const { return word_count_; }

 private:
  absl::flat_hash_map<std::uint64_t, Node> edges_;  // Of (node, character).
  std::vector<std::uint64_t> frequencies_{0};       // By node.
  std::uint64_t total_ = 0;
  std::uint64_t word_count_ = 0;
};

}  // namespace longtail::examples
