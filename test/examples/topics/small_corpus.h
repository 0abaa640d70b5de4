// Documents of a few words, as a block and as lists.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "examples/topics/priors.h"
#include "examples/topics/token_block.h"

namespace longtail::examples::test {

using Documents = std::vector<std::vector<std::uint32_t>>;

inline TokenBlock BlockOf(const Documents& documents) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> by_word;
  for (std::size_t d = 0; d < documents.size(); ++d) {
    for (const std::uint32_t word : documents[d]) {
      by_word[word].push_back(static_cast<std::uint32_t>(d));
    }
  }
  TokenBlock block;
  block.document_count = static_cast<std::uint32_t>(documents.size());
  for (const auto& [word, tokens] : by_word) {
    block.words.push_back(word);
    block.documents.insert(block.documents.end(), tokens.begin(), tokens.end());
    block.ends.push_back(static_cast<std::uint32_t>(block.documents.size()));
  }
  return block;
}

inline Priors PriorsOf(std::uint32_t topics, double alpha, double beta, std::uint64_t words) {
  return {.alpha = std::vector<double>(topics, alpha), .beta = beta, .vocabulary_size = words};
}

}  // namespace longtail::examples::test
