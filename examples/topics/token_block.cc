#include "examples/topics/token_block.h"

namespace longtail::examples {

void DocumentTopics::Count(const TokenBlock& block, std::span<const std::uint32_t> topics) {
  begins_.assign(block.document_count + std::size_t{1}, 0);
  sizes_.assign(block.document_count, 0);
  entries_.assign(block.token_count(), {});
  for (const std::uint32_t document : block.documents) ++begins_[document + 1];
  for (std::size_t d = 0; d < block.document_count; ++d) begins_[d + 1] += begins_[d];
  for (std::size_t i = 0; i < topics.size(); ++i) {
    if (topics[i] != kNoTopic) Add(block.documents[i], topics[i]);
  }
}

}  // namespace longtail::examples
