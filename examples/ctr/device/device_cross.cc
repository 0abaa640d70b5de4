#include "examples/ctr/device/device_cross.h"

namespace longtail::examples {
namespace {

std::uint32_t FloatsOf(ConstMatrix x) {
  return static_cast<std::uint32_t>(x.rows * x.columns);
}

void EnqueueAdd(const DevicePass& pass, ConstMatrix x, Matrix y) {
  pass.stream->Launch(device::AddCall{.x = x.data, .y = y.data, .count = FloatsOf(x)});
}

}  // namespace

DeviceCross::DeviceCross(const DeviceCrossSpec& spec, const ParameterLayout& layout,
                         const DeviceCut& cut, DeviceArena& arena)
    : width_(spec.width),
      product_gradients_(arena.Take(cut.block_rows * spec.width)),
      input_gradients_(arena.Take(cut.block_rows * spec.width)) {
  for (std::size_t l = 0; l < spec.layers; ++l) {
    linears_.emplace_back(layout, spec.name + "." + std::to_string(l), spec.width, spec.width);
    products_.push_back(arena.Take(cut.rows_max * spec.width));
    outputs_.push_back(arena.Take(cut.rows_max * spec.width));
  }
}

void DeviceCross::Forward(const DevicePass& pass, RowBlock block, ConstMatrix x0) const {
  ConstMatrix x = x0;
  for (std::size_t l = 0; l < linears_.size(); ++l) {
    const Matrix u = Rows(products_[l], block);
    const Matrix y = Rows(outputs_[l], block);
    linears_[l].Forward(pass, x, u, /*has_relu=*/false);
    pass.stream->Launch(device::CrossCall{
        .x0 = x0.data, .u = u.data, .x = x.data, .y = y.data, .count = FloatsOf(y)});
    x = y;
  }
}

void DeviceCross::Backward(const DevicePass& pass, RowBlock block, ConstMatrix x0, Matrix dy,
                           Matrix dx0) const {
  const Matrix du = WholeMatrix(product_gradients_, block.count, width_);
  const Matrix dx = WholeMatrix(input_gradients_, block.count, width_);
  for (std::size_t l = linears_.size(); l-- > 0;) {
    const Matrix u = Rows(products_[l], block);
    const ConstMatrix x = l == 0 ? x0 : ConstMatrix(Rows(outputs_[l - 1], block));
    pass.stream->Launch(device::CrossGradientCall{.x0 = x0.data,
                                                  .u = u.data,
                                                  .dy = dy.data,
                                                  .du = du.data,
                                                  .dx0 = dx0.data,
                                                  .count = FloatsOf(dy)});
    linears_[l].AddGradients(pass, x, du);
    linears_[l].InputGradients(pass, du, dx);
    EnqueueAdd(pass, dx, dy);  // The gradient of x_l: straight through, and through the product.
  }
  EnqueueAdd(pass, dy, dx0);
}

}  // namespace longtail::examples
