// A sum of many doubles whose error does not grow with their number.
#pragma once

#include <cstddef>

namespace longtail::examples {

/// Returns the sum of term(begin) … term(end - 1), halves first.
///
/// Cost:   one call of `term` each; recursion log2(n) deep.
/// Source: Higham, "The Accuracy of Floating Point Summation", SIAM J. Sci. Comput. 14 (1993),
///         pairwise summation: the error grows with log2(n), not with n.
template <typename Term>
[[nodiscard]] double PairwiseSum(std::size_t begin, std::size_t end, const Term& term) {
  constexpr std::size_t kPlainMax = 64;  // Below this a plain loop is as exact, and faster.
  if (end - begin <= kPlainMax) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += term(i);
    return sum;
  }
  const std::size_t middle = begin + (end - begin) / 2;
  return PairwiseSum(begin, middle, term) + PairwiseSum(middle, end, term);
}

}  // namespace longtail::examples
