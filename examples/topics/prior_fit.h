// Priors that fit the counts better than those at hand.
//
// Source: Minka, "Estimating a Dirichlet distribution" (2000), the fixed-point iteration of
//         equation 55; Wallach, Mimno, McCallum, "Rethinking LDA: Why Priors Matter", NIPS 2009,
//         for which of them to fit: one alpha a topic, one beta.
#pragma once

#include <cstdint>
#include <vector>

#include "examples/topics/priors.h"
#include "examples/topics/token_block.h"
#include "longtail/count_rows.h"

namespace longtail::examples {

/// Sums over documents, of which one step for alpha is made. Those of several workers are added.
///
/// Thread: one owner.
class AlphaFit {
 public:
  explicit AlphaFit(const Priors& priors);

  /// Takes the documents of a block.
  void Add(const DocumentTopics& documents);
  void Add(const AlphaFit& other);

  /// The new alpha. A topic that no document has keeps kAlphaMin.
  std::vector<double> Step() const;

 private:
  std::vector<double> alpha_;
  double alpha_sum_ = 0;
  std::vector<double> numerator_;  // By topic: of psi(n_dk + alpha_k) - psi(alpha_k).
  double denominator_ = 0;         // Of psi(n_d + sum) - psi(sum).
};

inline constexpr double kPriorMin = 1e-6;

/// One step for beta, of all rows and the topics' sums.
double BetaStep(const CountRows& rows, const std::vector<std::int64_t>& sums, const Priors& priors);

/// psi(x + n) - psi(x) for x > 0.
double DigammaRise(double x, std::uint64_t n);

}  // namespace longtail::examples
