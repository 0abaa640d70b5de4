// DLRM's interaction: the dot product of every pair of an example's vectors.
#pragma once

#include <cstddef>

#include "examples/common/nn/matrix.h"

namespace longtail::examples {

/// From V = [v_0; v_1; ...; v_{n-1}] of each example, writes v_0 and behind it the products
/// v_i . v_j with j < i, row by row of the lower triangle: (1,0), (2,0), (2,1), (3,0), ...
///
/// Source: Naumov et al., "Deep learning recommendation model for personalization and
///         recommendation systems", 2019, section 2.1.4.
/// Cost:   with n 27 and dim 16 below half a microsecond each way on a 3 GHz core; dims 4, 8, 16
///         and 32 have loops of their own. No allocation after construction.
class DotInteraction {
 public:
  DotInteraction(std::size_t vector_count, std::size_t dim);

  /// dim + n (n - 1) / 2.
  std::size_t outputs() const { return dim_ + vectors_ * (vectors_ - 1) / 2; }

  /// Shapes: v [rows, vector_count * dim]; y [rows, outputs()].
  void Forward(ConstMatrix v, Matrix y);

  /// Shapes: v as in Forward; dy [rows, outputs()]; dv as v, overwritten.
  void Backward(ConstMatrix v, ConstMatrix dy, Matrix dv);

 private:
  std::size_t vectors_;
  std::size_t dim_;
  std::size_t padded_;        ///< vectors_ rounded up to whole vectors and tiles.
  AlignedBuffer transposed_;  ///< [dim, padded_], V of one example; its padding stays zero.
  AlignedBuffer square_;      ///< [padded_, padded_], products or their gradients of one example.
};

}  // namespace longtail::examples
