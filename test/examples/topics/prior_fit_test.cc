#include "examples/topics/prior_fit.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/random.h"
#include "examples/topics/small_corpus.h"

namespace longtail::examples {
namespace {

TEST_CASE("a rise of the digamma function is a sum of reciprocals", "[examples][topics][priors]") {
  for (const double x : {0.003, 0.5, 7.0, 2000.0}) {
    for (const std::uint64_t n : {0U, 1U, 24U, 25U, 3000U}) {
      double want = 0;
      for (std::uint64_t i = 0; i < n; ++i) want += 1 / (x + static_cast<double>(i));
      CAPTURE(x, n);
      CHECK(DigammaRise(x, n) == Approx(want).epsilon(1e-9));
    }
  }
}

// The logarithm of the documents' topics' probability under alpha.
double LogLikelihood(const DocumentTopics& documents, const std::vector<double>& alpha) {
  double sum = 0;
  for (const double a : alpha) sum += a;
  double result = 0;
  for (std::uint32_t d = 0; d < documents.document_count(); ++d) {
    double tokens = 0;
    for (const auto& entry : documents.Of(d)) {
      result += std::lgamma(entry.count + alpha[entry.topic]) - std::lgamma(alpha[entry.topic]);
      tokens += entry.count;
    }
    result += std::lgamma(sum) - std::lgamma(sum + tokens);
  }
  return result;
}

TEST_CASE("steps for alpha make the documents likelier, until no other alpha is better",
          "[examples][topics][priors]") {
  // Topic 0 is common, topic 2 rare, and no document has topic 3.
  Rng random(8);
  test::Documents words(300);
  for (auto& document : words) document.assign(1 + random.Below(9), 0);
  const TokenBlock block = test::BlockOf(words);
  std::vector<std::uint32_t> topics;
  for (std::size_t i = 0; i < block.token_count(); ++i) {
    const std::uint64_t place = random.Below(20);
    topics.push_back(place < 14 ? 0 : place < 19 ? 1 : 2);
  }
  DocumentTopics documents;
  documents.Count(block, topics);
  Priors priors = test::PriorsOf(4, 0.3, 0.01, 1);

  double before = LogLikelihood(documents, priors.alpha);
  for (int step = 0; step < 3000; ++step) {
    // In two parts, as two workers have it.
    AlphaFit fit(priors);
    AlphaFit half(priors);
    half.Add(documents);
    fit.Add(half);
    priors.alpha = fit.Step();
    const double now = LogLikelihood(documents, priors.alpha);
    if (step < 50) CHECK(now >= before - 1e-9);
    before = now;
  }

  CHECK(priors.alpha[0] > 2 * priors.alpha[1]);
  CHECK(priors.alpha[3] == kPriorMin);
  for (const double factor : {0.97, 1.03}) {
    for (std::size_t k = 0; k < 3; ++k) {
      std::vector<double> other = priors.alpha;
      other[k] *= factor;
      CHECK(LogLikelihood(documents, other) < before + 1e-6);
    }
  }
}

TEST_CASE("steps for beta make the words likelier, until no other beta is better",
          "[examples][topics][priors]") {
  Rng random(4);
  CountRows rows;
  std::vector<std::int64_t> sums(3);
  for (int word = 0; word < 40; ++word) {
    for (std::uint32_t k = 0; k < 3; ++k) {
      if (random.Below(4) != 0) continue;
      rows.columns.push_back(k);
      rows.counts.push_back(static_cast<std::int64_t>(1 + random.Below(30)));
      sums[k] += rows.counts.back();
    }
    rows.ends.push_back(rows.columns.size());
  }
  Priors priors = test::PriorsOf(3, 0.1, 0.5, 40);
  const auto likelihood = [&](double beta) {
    double result = 0;
    for (const std::int64_t count : rows.counts) {
      result += std::lgamma(static_cast<double>(count) + beta) - std::lgamma(beta);
    }
    for (const std::int64_t sum : sums) {
      result += std::lgamma(40 * beta) - std::lgamma(static_cast<double>(sum) + 40 * beta);
    }
    return result;
  };

  for (int step = 0; step < 500; ++step) priors.beta = BetaStep(rows, sums, priors);

  CHECK(priors.beta < 0.2);
  CHECK(likelihood(priors.beta) > likelihood(priors.beta * 1.02));
  CHECK(likelihood(priors.beta) > likelihood(priors.beta * 0.98));
}

}  // namespace
}  // namespace longtail::examples
