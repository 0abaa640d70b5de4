#include "examples/topics/perplexity.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "examples/topics/small_corpus.h"

namespace longtail::examples {
namespace {

struct Dense {
  std::vector<std::vector<double>> phi;  // [word][topic]
  ModelCounts counts;
};

// Counts of `words` words in `topics` topics, some of them none.
Dense Make(std::size_t words, std::size_t topics, const Priors& priors) {
  Rng random(11);
  std::vector<std::vector<std::int64_t>> counts(words, std::vector<std::int64_t>(topics));
  Dense dense;
  dense.counts.sums.assign(topics, 0);
  for (std::size_t w = 0; w < words; ++w) {
    for (std::size_t k = 0; k < topics; ++k) {
      if (random.Below(3) != 0) continue;
      counts[w][k] = static_cast<std::int64_t>(1 + random.Below(50));
      dense.counts.sums[k] += counts[w][k];
      dense.counts.rows.columns.push_back(static_cast<std::uint32_t>(k));
      dense.counts.rows.counts.push_back(counts[w][k]);
    }
    dense.counts.rows.ends.push_back(dense.counts.rows.columns.size());
  }
  for (std::size_t w = 0; w < words; ++w) {
    auto& row = dense.phi.emplace_back();
    for (std::size_t k = 0; k < topics; ++k) {
      row.push_back((static_cast<double>(counts[w][k]) + priors.beta) /
                    (static_cast<double>(dense.counts.sums[k]) + priors.beta_sum()));
    }
  }
  return dense;
}

// The protocol as it is written down, token by token and topic by topic.
double PlainPerplexity(const Dense& dense, const Priors& priors, const test::Documents& documents,
                       std::size_t tokens_min) {
  const std::size_t topics = priors.topic_count();
  double log_sum = 0;
  double tokens = 0;
  for (std::vector<std::uint32_t> document : documents) {
    if (document.size() < tokens_min) continue;
    std::sort(document.begin(), document.end());
    std::vector<double> theta(topics, 1.0 / static_cast<double>(topics));
    double observed = 0;
    for (std::size_t i = 0; i < document.size(); i += 2) ++observed;
    for (int step = 0; step < 100; ++step) {
      std::vector<double> next = priors.alpha;
      for (std::size_t i = 0; i < document.size(); i += 2) {
        double sum = 0;
        for (std::size_t k = 0; k < topics; ++k) sum += theta[k] * dense.phi[document[i]][k];
        for (std::size_t k = 0; k < topics; ++k) {
          next[k] += theta[k] * dense.phi[document[i]][k] / sum;
        }
      }
      for (std::size_t k = 0; k < topics; ++k) theta[k] = next[k] / (observed + priors.alpha_sum());
    }
    for (std::size_t i = 1; i < document.size(); i += 2) {
      double sum = 0;
      for (std::size_t k = 0; k < topics; ++k) sum += theta[k] * dense.phi[document[i]][k];
      log_sum += std::log(sum);
      ++tokens;
    }
  }
  return std::exp(-log_sum / tokens);
}

TEST_CASE("perplexity is the protocol's, though most of a topic is taken at once",
          "[examples][topics][perplexity]") {
  Priors priors = test::PriorsOf(13, 0.05, 0.01, 30);
  priors.alpha[4] = 0.9;
  const Dense dense = Make(30, 13, priors);
  Rng random(2);
  test::Documents documents(50);
  for (auto& document : documents) {
    const std::uint64_t size = random.Below(15);
    for (std::uint64_t i = 0; i < size; ++i) {
      document.push_back(static_cast<std::uint32_t>(random.Below(30)));
    }
  }

  const HeldOutResult result = MeasureHeldOut(dense.counts, priors, documents, 4);

  CHECK(result.all.perplexity() ==
        Approx(PlainPerplexity(dense, priors, documents, 4)).epsilon(1e-9));
  std::uint64_t tokens = 0;
  double log_sum = 0;
  for (const BucketPerplexity& bucket : result.by_count) {
    tokens += bucket.tokens;
    log_sum += bucket.log_sum;
  }
  CHECK(tokens == result.all.tokens);
  CHECK(log_sum == Approx(result.all.log_sum));
}

TEST_CASE("a word that was never trained on has its part by beta and the bucket of such words",
          "[examples][topics][perplexity]") {
  const Priors priors = test::PriorsOf(3, 0.1, 0.01, 6);
  const Dense dense = Make(5, 3, priors);

  const HeldOutResult result = MeasureHeldOut(dense.counts, priors, {{{0, 77}}}, 2);

  CHECK(result.by_count[0].tokens == 1);
  CHECK(result.documents == 1);
  CHECK(std::isfinite(result.all.perplexity()));
}

}  // namespace
}  // namespace longtail::examples
