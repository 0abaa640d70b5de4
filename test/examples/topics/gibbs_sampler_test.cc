#include "examples/topics/gibbs_sampler.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "examples/topics/small_corpus.h"

namespace longtail::examples {
namespace {

TEST_CASE("the plain sampler finds two topics that share no word", "[examples][topics][gibbs]") {
  test::Documents documents;
  for (std::uint32_t d = 0; d < 40; ++d) {
    const std::uint32_t first = d % 2 == 0 ? 0 : 3;
    documents.push_back({first, first + 1, first + 2, first, first + 1});
  }
  GibbsSampler sampler(documents, test::PriorsOf(2, 0.1, 0.01, 6), 5);

  for (int i = 0; i < 100; ++i) sampler.Sweep();

  const auto counts = sampler.word_topics();
  CHECK(std::accumulate(counts.begin(), counts.end(), 0) == 200);
  CHECK(sampler.sums()[0] == 100);
  for (std::size_t word = 0; word < 6; ++word) {
    CAPTURE(word);
    CHECK(counts[2 * word] * counts[2 * word + 1] == 0);
  }
}

}  // namespace
}  // namespace longtail::examples
