// What the layers of a model are made of on a device: products, biases, places and sums, enqueued
// on a stream. The same steps as those of examples/common/nn, in the same order of sums.
//
// Matrices are views (matrix.h) of the device's memory: the host reads none of their elements.
#pragma once

#include <cstdint>
#include <string>

#include "examples/common/nn/dropout.h"
#include "examples/common/nn/gemm.h"
#include "examples/common/nn/matrix.h"
#include "examples/common/nn/parameters.h"
#include "examples/common/nn/row_block.h"
#include "examples/common/nn/step_context.h"
#include "examples/ctr/device/device_arena.h"
#include "worker/device/step_room.h"

namespace longtail::examples {

/// How the work of a step is cut.
struct DeviceCut {
  std::uint32_t rows_max = 0;        ///< Examples of the largest step.
  std::uint32_t block_rows = 0;      ///< Go through all layers before the next ones begin.
  std::uint32_t head_part_rows = 0;  ///< Weight gradients of a LogitHead are summed by these.
  std::uint32_t long_above = 0;      ///< Gradients of one key, see GradientSums.
};

/// On the host as the trainers' own models cut it, to the bit; on a GPU so that it is full.
DeviceCut CutFor(const device::Device& device, std::uint32_t rows_max);

/// What all that is enqueued for one step needs.
struct DevicePass {
  device::Stream* stream = nullptr;
  const float* parameters = nullptr;             ///< Of the device, [layout.size()].
  float* gradients = nullptr;                    ///< Of the device, [layout.size()], zero at first.
  float* scratch = nullptr;                      ///< Of the device, for sums of columns in parts.
  const device::StepScalars* scalars = nullptr;  ///< Of the device.
  StepContext context;  ///< Without seed and step, which scalars stand for.
};

/// A whole matrix of the device's memory: one row stands behind the other.
inline Matrix WholeMatrix(float* data, std::size_t rows, std::size_t columns) {
  return {data, rows, columns, columns};
}

/// Where a tensor begins in its flat buffer. The layout must have it.
std::size_t OffsetOf(const ParameterLayout& layout, const std::string& name);

/// C = alpha * op(A) * op(B) + beta * C.
void EnqueueProduct(const DevicePass& pass, const GemmCall& call);

/// Puts rows of `from` into columns of `to`. `identity` has 0, 1, 2, … of the device.
///
/// Shapes: from, to [n, columns].
void EnqueuePlace(const DevicePass& pass, const std::uint32_t* identity, ConstMatrix from,
                  Matrix to);

/// sums += the columns' sums of a whole matrix.
void EnqueueColumnSums(const DevicePass& pass, ConstMatrix x, float* sums);

void EnqueueDropout(const DevicePass& pass, const Dropout& dropout, std::size_t first_row,
                    Matrix y);

/// A fully connected layer, y = x W + b, as Linear.
class DeviceLinear {
 public:
  DeviceLinear(const ParameterLayout& layout, const std::string& name, std::size_t inputs,
               std::size_t outputs);

  /// Shapes: x [n, inputs]; y [n, outputs], whole.
  void Forward(const DevicePass& pass, ConstMatrix x, Matrix y, bool has_relu) const;

  /// Adds to the gradients of weights and bias. Shapes: dy [n, outputs], whole.
  void AddGradients(const DevicePass& pass, ConstMatrix x, ConstMatrix dy) const;

  /// dx = dy W^T.
  void InputGradients(const DevicePass& pass, ConstMatrix dy, Matrix dx) const;

  std::size_t outputs() const { return outputs_; }

 private:
  ConstMatrix Weights(const DevicePass& pass) const {
    return {pass.parameters + weight_offset_, inputs_, outputs_, outputs_};
  }

  std::size_t inputs_;
  std::size_t outputs_;
  std::size_t weight_offset_;
  std::size_t bias_offset_;
};

/// The last product of a model, as LogitHead.
class DeviceHead {
 public:
  DeviceHead(const ParameterLayout& layout, const std::string& name, std::size_t inputs);

  /// logits += x . w. Shapes: x [n, inputs]; logits [n].
  void Forward(const DevicePass& pass, ConstMatrix x, float* logits) const;

  /// dx = logit_gradients * w. Shapes: dx [n, inputs].
  void InputGradients(const DevicePass& pass, const float* logit_gradients, Matrix dx) const;

  /// Of all examples of the step at once, so that sums are those of LogitHead.
  void AddGradients(const DevicePass& pass, const DeviceCut& cut, ConstMatrix x,
                    const float* logit_gradients) const;

 private:
  std::size_t inputs_;
  std::size_t offset_;
};

}  // namespace longtail::examples
