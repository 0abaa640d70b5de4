#include "examples/ctr/device/device_mlp.h"

#include "examples/common/nn/counter_random.h"

namespace longtail::examples {

DeviceMlp::DeviceMlp(const DeviceMlpSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
                     DeviceArena& arena) {
  std::size_t inputs = spec.inputs;
  for (std::size_t l = 0; l < spec.hidden.size(); ++l) {
    const std::string name = spec.name + "." + std::to_string(l);
    const std::size_t outputs = spec.hidden[l];
    layers_.push_back({.linear = DeviceLinear(layout, name, inputs, outputs),
                       .dropout = Dropout(spec.dropout, NameBits(name)),
                       .activations = arena.Take(cut.rows_max * outputs),
                       .gradients = arena.Take(cut.block_rows * outputs)});
    inputs = outputs;
  }
}

void DeviceMlp::Forward(const DevicePass& pass, RowBlock block, ConstMatrix x) const {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const Matrix y = Activation(l, block);
    layer.linear.Forward(pass, x, y, /*has_relu=*/true);
    if (layer.dropout.active(pass.context)) EnqueueDropout(pass, layer.dropout, block.begin, y);
    x = y;
  }
}

void DeviceMlp::Backward(const DevicePass& pass, RowBlock block, ConstMatrix x, Matrix dx) const {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    const Matrix y = Activation(l, block);
    const Matrix dy = Gradient(l, block);
    const float scale = layer.dropout.active(pass.context) ? layer.dropout.scale() : 1;
    pass.stream->Launch(
        device::ReluGradientCall{.y = y.data,
                                 .dy = dy.data,
                                 .scale = scale,
                                 .count = static_cast<std::uint32_t>(y.rows * y.columns)});
    layer.linear.AddGradients(pass, l == 0 ? x : ConstMatrix(Activation(l - 1, block)), dy);
    const Matrix below = l == 0 ? dx : Gradient(l - 1, block);
    if (below.data != nullptr) layer.linear.InputGradients(pass, dy, below);
  }
}

}  // namespace longtail::examples
