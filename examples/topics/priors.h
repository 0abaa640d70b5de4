// What a topic model assumes before it has seen a document.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

namespace longtail::examples {

struct Priors {
  std::vector<double> alpha;          ///< [topics] Dirichlet parameter of a document's topics.
  double beta = 0.01;                 ///< Of a topic's words, the same for each.
  std::uint64_t vocabulary_size = 0;  ///< Words that a topic may have.

  std::uint32_t topic_count() const { return static_cast<std::uint32_t>(alpha.size()); }
  double alpha_sum() const { return std::accumulate(alpha.begin(), alpha.end(), 0.0); }
  double beta_sum() const { return beta * static_cast<double>(vocabulary_size); }
};

}  // namespace longtail::examples
