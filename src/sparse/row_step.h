// A row's parts as a rule sees them.
#pragma once

#include <cstddef>

namespace longtail::sparse {

/// Shapes: gradient [dim], already shaped; weights [dim]; state [StateSize]; no two overlap.
struct RowStep {
  const float* gradient;
  float* weights;
  float* state;
  std::size_t dim;
};

}  // namespace longtail::sparse
