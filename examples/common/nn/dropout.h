// Inverted dropout whose mask is a pure function of (seed, step, layer, example, column).
//
// `example` counts in the global batch, so the mask does not depend on how many micro-batches or
// threads a batch is cut into.
#pragma once

#include <cstdint>

#include "examples/common/nn/matrix.h"
#include "examples/common/nn/step_context.h"

namespace longtail::examples {

/// Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from
///         overfitting", JMLR 15 (2014); inverted: kept units are scaled while training.
class Dropout {
 public:
  /// `layer` tells the masks of one model's layers apart. The rate is in [0, 1).
  Dropout(float rate, std::uint64_t layer);

  bool active(const StepContext& context) const { return context.training && rate_ > 0; }

  /// 1 / (1 - rate).
  float scale() const { return scale_; }

  /// Elements whose bits are below this are dropped (base/dropout_mask.h).
  std::uint32_t drop_below() const { return drop_below_; }

  std::uint64_t layer() const { return layer_; }

  /// The stream that a step's bits are drawn from.
  std::uint64_t StreamOf(const StepContext& context) const;

  /// Sets dropped elements to zero and multiplies the others by scale().
  ///
  /// Shapes: y [n, width]; row 0 is the micro-batch's example `first_row`.
  void Apply(const StepContext& context, std::size_t first_row, Matrix y) const;

 private:
  float rate_;
  float scale_;
  std::uint32_t drop_below_;
  std::uint64_t layer_;
};

}  // namespace longtail::examples
