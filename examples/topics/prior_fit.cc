#include "examples/topics/prior_fit.h"

#include <algorithm>
#include <cmath>

namespace longtail::examples {
namespace {

// The asymptotic series, good to 1e-12 from here on.
constexpr double kSeriesFrom = 12;

double Digamma(double x) {
  double result = 0;
  for (; x < kSeriesFrom; ++x) result -= 1 / x;
  const double square = 1 / (x * x);
  return result + std::log(x) - 0.5 / x -
         square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square / 240)));
}

}  // namespace

double DigammaRise(double x, std::uint64_t n) {
  if (n > 24) return Digamma(x + static_cast<double>(n)) - Digamma(x);
  double rise = 0;
  for (std::uint64_t i = 0; i < n; ++i) rise += 1 / (x + static_cast<double>(i));
  return rise;
}

AlphaFit::AlphaFit(const Priors& priors)
    : alpha_(priors.alpha), alpha_sum_(priors.alpha_sum()), numerator_(priors.topic_count()) {}

void AlphaFit::Add(const DocumentTopics& documents) {
  for (std::uint32_t d = 0; d < documents.document_count(); ++d) {
    std::uint64_t tokens = 0;
    for (const DocumentTopics::Entry& entry : documents.Of(d)) {
      numerator_[entry.topic] += DigammaRise(alpha_[entry.topic], entry.count);
      tokens += entry.count;
    }
    denominator_ += DigammaRise(alpha_sum_, tokens);
  }
}

void AlphaFit::Add(const AlphaFit& other) {
  for (std::size_t k = 0; k < numerator_.size(); ++k) numerator_[k] += other.numerator_[k];
  denominator_ += other.denominator_;
}

std::vector<double> AlphaFit::Step() const {
  std::vector<double> next = alpha_;
  if (denominator_ <= 0) return next;
  for (std::size_t k = 0; k < next.size(); ++k) {
    next[k] = std::max(kPriorMin, alpha_[k] * numerator_[k] / denominator_);
  }
  return next;
}

double BetaStep(const CountRows& rows, const std::vector<std::int64_t>& sums,
                const Priors& priors) {
  double numerator = 0;
  for (const std::int64_t count : rows.counts) {
    numerator += DigammaRise(priors.beta, static_cast<std::uint64_t>(count));
  }
  double denominator = 0;
  for (const std::int64_t sum : sums) {
    denominator += DigammaRise(priors.beta_sum(), static_cast<std::uint64_t>(sum));
  }
  denominator *= static_cast<double>(priors.vocabulary_size);
  return denominator <= 0 ? priors.beta
                          : std::max(kPriorMin, priors.beta * numerator / denominator);
}

}  // namespace longtail::examples
