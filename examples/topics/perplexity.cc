#include "examples/topics/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace longtail::examples {
namespace {

// A sum in eight lanes, which the compiler can keep in vectors.
double Dot(std::span<const double> a, std::span<const double> b) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8) {
    for (std::size_t j = 0; j < 8; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (; i < a.size(); ++i) lanes[0] += a[i] * b[i];
  return std::accumulate(std::begin(lanes), std::end(lanes), 0.0);
}

}  // namespace

FoldIn::FoldIn(const ModelCounts& counts, const Priors& priors)
    : counts_(counts), priors_(priors), inverse_(priors.topic_count()) {
  for (std::size_t k = 0; k < inverse_.size(); ++k) {
    inverse_[k] = 1 / (static_cast<double>(counts.sums[k]) + priors.beta_sum());
  }
}

void FoldIn::Run(std::span<const std::uint32_t> words, std::vector<double>& theta) {
  const CountRows& rows = counts_.rows;
  theta.assign(inverse_.size(), 1.0 / static_cast<double>(inverse_.size()));
  words_.clear();
  std::size_t entries = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0 && words[i] == words[i - 1]) {
      ++words_.back().count;
      continue;
    }
    const bool is_known = words[i] < rows.size();
    words_.push_back({.begin = is_known ? rows.begin(words[i]) : 0,
                      .end = is_known ? rows.ends[words[i]] : 0,
                      .count = 1});
    entries += words_.back().end - words_.back().begin;
  }
  sparse_.resize(entries);
  next_.resize(theta.size());
  const double denominator = static_cast<double>(words.size()) + priors_.alpha_sum();
  for (int step = 0; step < kFoldInSteps; ++step) {
    // The part of every word that all topics have by beta is one sum for all of them.
    const double smooth = priors_.beta * Dot(theta, inverse_);
    double shares = 0;
    double* sparse = sparse_.data();
    std::ranges::copy(priors_.alpha, next_.begin());
    for (const Word& word : words_) {
      double probability = smooth;
      for (std::size_t i = word.begin; i < word.end; ++i) {
        const std::uint32_t k = rows.columns[i];
        sparse[i - word.begin] = theta[k] * inverse_[k] * static_cast<double>(rows.counts[i]);
        probability += sparse[i - word.begin];
      }
      const double share = word.count / probability;
      for (std::size_t i = word.begin; i < word.end; ++i) {
        next_[rows.columns[i]] += share * sparse[i - word.begin];
      }
      shares += share;
      sparse += word.end - word.begin;
    }
    const double factor = shares * priors_.beta;
    for (std::size_t k = 0; k < theta.size(); ++k) {
      theta[k] = (next_[k] + factor * theta[k] * inverse_[k]) / denominator;
    }
  }
}

double FoldIn::Probability(std::uint32_t word, std::span<const double> theta) const {
  double probability = priors_.beta * Dot(theta, inverse_);
  if (word >= counts_.rows.size()) return probability;
  for (std::size_t i = counts_.rows.begin(word); i < counts_.rows.ends[word]; ++i) {
    const std::uint32_t k = counts_.rows.columns[i];
    probability += theta[k] * inverse_[k] * static_cast<double>(counts_.rows.counts[i]);
  }
  return probability;
}

double BucketPerplexity::perplexity() const {
  return tokens == 0 ? std::nan("") : std::exp(-log_sum / static_cast<double>(tokens));
}

HeldOutResult MeasureHeldOut(const ModelCounts& counts, const Priors& priors,
                             std::span<const std::vector<std::uint32_t>> documents,
                             std::size_t tokens_min) {
  HeldOutResult result;
  FoldIn fold_in(counts, priors);
  const double vocabulary = static_cast<double>(priors.vocabulary_size);
  const double total =
      static_cast<double>(std::accumulate(counts.sums.begin(), counts.sums.end(), std::int64_t{0}));
  std::vector<std::uint32_t> sorted;
  std::vector<std::uint32_t> observed;
  std::vector<double> theta;
  for (const std::vector<std::uint32_t>& document : documents) {
    if (document.size() < std::max<std::size_t>(2, tokens_min)) continue;
    ++result.documents;
    sorted = document;
    std::ranges::sort(sorted);
    observed.clear();
    for (std::size_t i = 0; i < sorted.size(); i += 2) observed.push_back(sorted[i]);
    fold_in.Run(observed, theta);
    for (std::size_t i = 1; i < sorted.size(); i += 2) {
      std::int64_t count = 0;
      if (sorted[i] < counts.rows.size()) {
        const auto at = counts.rows.counts.begin();
        count = std::accumulate(at + static_cast<std::ptrdiff_t>(counts.rows.begin(sorted[i])),
                                at + static_cast<std::ptrdiff_t>(counts.rows.ends[sorted[i]]),
                                std::int64_t{0});
      }
      const double log_probability = std::log(fold_in.Probability(sorted[i], theta));
      const auto bucket = IndexOf(BucketOf(static_cast<std::uint64_t>(count)));
      for (BucketPerplexity* const to : {&result.all, &result.by_count[bucket]}) {
        ++to->tokens;
        to->log_sum += log_probability;
      }
      ++result.unigram.tokens;
      result.unigram.log_sum +=
          std::log((static_cast<double>(count) + priors.beta) / (total + vocabulary * priors.beta));
    }
  }
  return result;
}

}  // namespace longtail::examples
