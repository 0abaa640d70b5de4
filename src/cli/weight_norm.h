// The length of a row's weights.
#pragma once

#include <cmath>
#include <span>

namespace longtail::cli {

/// The Euclidean norm, summed in double from the first weight to the last.
inline double WeightNorm(std::span<const float> weights) {
  double sum = 0;
  for (const float weight : weights) sum += double{weight} * double{weight};
  return std::sqrt(sum);
}

}  // namespace longtail::cli
