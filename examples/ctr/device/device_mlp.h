// A stack of hidden layers on a device, as Mlp without batch norm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/ctr/device/device_layers.h"

namespace longtail::examples {

struct DeviceMlpSpec {
  std::string name;  ///< Layers are "<name>.0", "<name>.1", ... of the layout.
  std::size_t inputs = 0;
  std::vector<std::uint32_t> hidden{};
  float dropout = 0;
};

/// Activations are kept for all examples of a step, gradients for those of a block.
class DeviceMlp {
 public:
  DeviceMlp(const DeviceMlpSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
            DeviceArena& arena);

  /// Shapes: x [block.count, inputs].
  void Forward(const DevicePass& pass, RowBlock block, ConstMatrix x) const;

  /// What Forward gave, [block.count, outputs].
  Matrix Output(RowBlock block) const { return Activation(layers_.size() - 1, block); }

  /// Where the gradients of Output are wanted before Backward.
  Matrix OutputGradients(RowBlock block) const { return Gradient(layers_.size() - 1, block); }

  /// Adds to the parameters' gradients and writes dx, unless its data is null.
  void Backward(const DevicePass& pass, RowBlock block, ConstMatrix x, Matrix dx) const;

  std::size_t outputs() const { return layers_.back().linear.outputs(); }

 private:
  struct Layer {
    DeviceLinear linear;
    Dropout dropout;
    float* activations;  ///< [rows_max, outputs]
    float* gradients;    ///< [block_rows, outputs]
  };

  Matrix Activation(std::size_t layer, RowBlock block) const {
    const std::size_t width = layers_[layer].linear.outputs();
    return WholeMatrix(layers_[layer].activations + block.begin * width, block.count, width);
  }
  Matrix Gradient(std::size_t layer, RowBlock block) const {
    return WholeMatrix(layers_[layer].gradients, block.count, layers_[layer].linear.outputs());
  }

  std::vector<Layer> layers_;
};

}  // namespace longtail::examples
