// A gradient on its way to a rule: clipped, and with the weight decay added.
#pragma once

#include <cstddef>

#include "longtail/optimizer_spec.h"
#include "sparse/frequency.h"
#include "sparse/gradient.h"

namespace longtail::sparse {

/// Whether ShapeGradient would change anything.
inline bool ShapesGradient(const OptimizerSpec& spec) {
  return spec.weight_decay > 0 || spec.gradient_clip > 0 || spec.gradient_norm_clip > 0 ||
         spec.frequency.cow_clip > 0 || spec.frequency.cow_clip_floor > 0;
}

/// The gradient that a rule sees: clipped by value, by norm, by CowClip, plus decay * weight.
///
/// Shapes: gradient [dim]; weights [dim]; scratch [dim], apart from both. Returns `gradient` itself
///         if there is nothing to do, or else `scratch`.
inline const float* ShapeGradient(const OptimizerSpec& spec, const RowFrequency& seen,
                                  const float* gradient, const float* weights,
                                  float* __restrict scratch, std::size_t dim) {
  if (!ShapesGradient(spec)) return gradient;
  const float bound = spec.gradient_clip;
  for (std::size_t i = 0; i < dim; ++i) {
    scratch[i] = bound > 0 ? ClipTo(gradient[i], bound) : gradient[i];
  }
  if (spec.gradient_norm_clip > 0) {
    Scale(scratch, dim, NormScale(spec, SumOfSquares(scratch, dim)));
  }
  if (spec.frequency.cow_clip > 0 || spec.frequency.cow_clip_floor > 0) {
    Scale(scratch, dim,
          CowClipScale(spec.frequency, seen.occurrences, SumOfSquares(weights, dim),
                       SumOfSquares(scratch, dim)));
  }
  if (spec.weight_decay > 0) {
    const float decay = CountDecay(spec.weight_decay, spec.frequency, seen.count);
    for (std::size_t i = 0; i < dim; ++i) scratch[i] += decay * weights[i];
  }
  return scratch;
}

}  // namespace longtail::sparse
