#include "examples/ctr/device/device_layers.h"

#include <algorithm>

#include "base/check.h"
#include "examples/ctr/models/model.h"

namespace longtail::examples {
namespace {

std::uint32_t Count(std::size_t count) {
  return static_cast<std::uint32_t>(count);
}

// Examples whose columns are summed before their sum is added: as the layers' own code.
constexpr std::uint32_t kPartRows = kBlockRows;

// Above so many gradients of one key a GPU sums them in parts.
constexpr std::uint32_t kLongSegment = 1024;

}  // namespace

DeviceCut CutFor(const device::Device& device, std::uint32_t rows_max) {
  if (!device.is_host()) {
    return {.rows_max = rows_max,
            .block_rows = rows_max,
            .head_part_rows = kPartRows,
            .long_above = kLongSegment};
  }
  const std::uint32_t whole = (rows_max + 3) / 4 * 4;  // One part, a multiple of four.
  return {.rows_max = rows_max,
          .block_rows = std::min(kPartRows, rows_max),
          .head_part_rows = whole,
          .long_above = device::kNoLongSegments};
}

std::size_t OffsetOf(const ParameterLayout& layout, const std::string& name) {
  const Tensor* const tensor = layout.Find(name);
  LONGTAIL_CHECK(tensor != nullptr);
  return tensor->offset;
}

void EnqueueProduct(const DevicePass& pass, const GemmCall& call) {
  const bool transposes_a = call.transpose_a == Transpose::kYes;
  pass.stream->Multiply(
      {.transpose_a = transposes_a,
       .transpose_b = call.transpose_b == Transpose::kYes,
       .rows = static_cast<std::int32_t>(call.c.rows),
       .columns = static_cast<std::int32_t>(call.c.columns),
       .inner = static_cast<std::int32_t>(transposes_a ? call.a.rows : call.a.columns),
       .a = call.a.data,
       .a_stride = static_cast<std::int32_t>(call.a.stride),
       .b = call.b.data,
       .b_stride = static_cast<std::int32_t>(call.b.stride),
       .c = call.c.data,
       .c_stride = static_cast<std::int32_t>(call.c.stride),
       .alpha = call.alpha,
       .beta = call.beta});
}

void EnqueuePlace(const DevicePass& pass, const std::uint32_t* identity, ConstMatrix from,
                  Matrix to) {
  pass.stream->Launch(device::PoolCall{.rows = from.data,
                                       .inverse = identity,
                                       .bags = {.examples = Count(from.rows), .fields = 1},
                                       .pooled = to.data,
                                       .row_stride = Count(from.stride),
                                       .pooled_stride = Count(to.stride),
                                       .dim = Count(from.columns)});
}

void EnqueueColumnSums(const DevicePass& pass, ConstMatrix x, float* sums) {
  const device::ColumnPartsCall parts{.x = x.data,
                                      .parts = pass.scratch,
                                      .rows = Count(x.rows),
                                      .columns = Count(x.columns),
                                      .part_rows = kPartRows};
  pass.stream->Launch(parts);
  pass.stream->Launch(device::AddPartsCall{.parts = pass.scratch,
                                           .sums = sums,
                                           .part_count = parts.PartCount(),
                                           .columns = Count(x.columns)});
}

void EnqueueDropout(const DevicePass& pass, const Dropout& dropout, std::size_t first_row,
                    Matrix y) {
  pass.stream->Launch(device::DropoutCall{.y = y.data,
                                          .stream = &pass.scalars->dropout_stream,
                                          .layer = dropout.layer(),
                                          .first_example = pass.context.first_example + first_row,
                                          .rows = Count(y.rows),
                                          .columns = Count(y.columns),
                                          .stride = Count(y.stride),
                                          .drop_below = dropout.drop_below(),
                                          .scale = dropout.scale()});
}

DeviceLinear::DeviceLinear(const ParameterLayout& layout, const std::string& name,
                           std::size_t inputs, std::size_t outputs)
    : inputs_(inputs),
      outputs_(outputs),
      weight_offset_(OffsetOf(layout, name + ".weight")),
      bias_offset_(OffsetOf(layout, name + ".bias")) {}

void DeviceLinear::Forward(const DevicePass& pass, ConstMatrix x, Matrix y, bool has_relu) const {
  EnqueueProduct(pass, {.a = x, .b = Weights(pass), .c = y});
  pass.stream->Launch(device::BiasCall{
      .y = y.data,
      .bias = pass.parameters + bias_offset_,
      .rows = Count(y.rows),
      .columns = Count(y.columns),
      .activation = has_relu ? device::Activation::kRelu : device::Activation::kNone});
}

void DeviceLinear::AddGradients(const DevicePass& pass, ConstMatrix x, ConstMatrix dy) const {
  EnqueueColumnSums(pass, dy, pass.gradients + bias_offset_);
  EnqueueProduct(pass, {.transpose_a = Transpose::kYes,
                        .a = x,
                        .b = dy,
                        .c = {pass.gradients + weight_offset_, inputs_, outputs_, outputs_},
                        .beta = 1});
}

void DeviceLinear::InputGradients(const DevicePass& pass, ConstMatrix dy, Matrix dx) const {
  EnqueueProduct(pass, {.transpose_b = Transpose::kYes, .a = dy, .b = Weights(pass), .c = dx});
}

DeviceHead::DeviceHead(const ParameterLayout& layout, const std::string& name, std::size_t inputs)
    : inputs_(inputs), offset_(OffsetOf(layout, name + ".weight")) {}

void DeviceHead::Forward(const DevicePass& pass, ConstMatrix x, float* logits) const {
  pass.stream->Launch(device::LogitHeadCall{.x = x.data,
                                            .weights = pass.parameters + offset_,
                                            .logits = logits,
                                            .examples = Count(x.rows),
                                            .inputs = Count(inputs_),
                                            .x_stride = Count(x.stride)});
}

void DeviceHead::InputGradients(const DevicePass& pass, const float* logit_gradients,
                                Matrix dx) const {
  pass.stream->Launch(device::LogitInputGradientsCall{.weights = pass.parameters + offset_,
                                                      .logit_gradients = logit_gradients,
                                                      .dx = dx.data,
                                                      .examples = Count(dx.rows),
                                                      .inputs = Count(inputs_),
                                                      .dx_stride = Count(dx.stride)});
}

void DeviceHead::AddGradients(const DevicePass& pass, const DeviceCut& cut, ConstMatrix x,
                              const float* logit_gradients) const {
  const device::LogitWeightPartsCall parts{.x = x.data,
                                           .logit_gradients = logit_gradients,
                                           .parts = pass.scratch,
                                           .examples = Count(x.rows),
                                           .inputs = Count(inputs_),
                                           .x_stride = Count(x.stride),
                                           .part_rows = cut.head_part_rows};
  pass.stream->Launch(parts);
  pass.stream->Launch(device::AddPartsCall{.parts = pass.scratch,
                                           .sums = pass.gradients + offset_,
                                           .part_count = parts.PartCount(),
                                           .columns = Count(inputs_)});
}

}  // namespace longtail::examples
