// Bias and ReLU, fused into one pass over a block that is still in the cache.
#pragma once

#include "examples/common/nn/matrix.h"

namespace longtail::examples {

/// y += bias, row by row. Shapes: y [n, width]; bias [width].
void AddBias(const float* bias, Matrix y);

/// y = max(y + bias, 0), row by row. Shapes: y [n, width]; bias [width].
void AddBiasRelu(const float* bias, Matrix y);

/// y = max(y, 0).
void Relu(Matrix y);

/// Turns the gradient of a ReLU's output into that of its input: dy = y > 0 ? dy * scale : 0.
/// With inverted dropout behind the ReLU, y is what dropout left and scale is 1 / (1 - rate): a
/// dropped unit has y = 0, so one mask serves both.
///
/// Shapes: y, dy [n, width].
void ReluBackward(ConstMatrix y, float scale, Matrix dy);

/// The same, and adds the column sums of the result to `bias_gradients` [width].
void ReluBackward(ConstMatrix y, float scale, Matrix dy, float* bias_gradients);

/// Adds the column sums of dy to `sums`. Shapes: dy [n, width]; sums [width].
void AddColumnSums(ConstMatrix dy, float* sums);

}  // namespace longtail::examples
