// The cross network of DCN-v2 on a device, as CrossNetwork.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/ctr/device/device_layers.h"

namespace longtail::examples {

struct DeviceCrossSpec {
  std::string name;  ///< Layers are "<name>.0", "<name>.1", ... of the layout.
  std::size_t width = 0;
  std::size_t layers = 0;
};

/// x_{l+1} = x_0 * (x_l W_l + b_l) + x_l. Matrices are whole.
class DeviceCross {
 public:
  DeviceCross(const DeviceCrossSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
              DeviceArena& arena);

  /// Shapes: x0 [block.count, width].
  void Forward(const DevicePass& pass, RowBlock block, ConstMatrix x0) const;

  /// What Forward gave, [block.count, width].
  Matrix Output(RowBlock block) const { return Rows(outputs_.back(), block); }

  /// Adds to the parameters' gradients and to dx0. Overwrites dy. Shapes: dy, dx0 as x0.
  void Backward(const DevicePass& pass, RowBlock block, ConstMatrix x0, Matrix dy,
                Matrix dx0) const;

 private:
  Matrix Rows(float* data, RowBlock block) const {
    return WholeMatrix(data + block.begin * width_, block.count, width_);
  }

  std::size_t width_;
  std::vector<DeviceLinear> linears_;
  std::vector<float*> products_;  ///< [rows_max, width] each, as outputs.
  std::vector<float*> outputs_;
  float* product_gradients_;  ///< [block_rows, width]
  float* input_gradients_;    ///< [block_rows, width]
};

}  // namespace longtail::examples
