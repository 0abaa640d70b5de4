#include "examples/ctr/device/device_dlrm.h"

namespace longtail::examples {
namespace {

std::size_t InteractionOutputs(const ModelSpec& spec) {
  const std::size_t vectors = std::size_t{spec.field_count} + 1;
  return spec.dim + vectors * (vectors - 1) / 2;
}

}  // namespace

DeviceDlrm::DeviceDlrm(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
                       DeviceArena& arena)
    : DeviceModel(spec, layout, cut, arena),
      outputs_(InteractionOutputs(spec)),
      bottom_({.name = "bottom", .inputs = spec.numeric_count, .hidden = spec.bottom}, layout, cut,
              arena),
      top_({.name = "top", .inputs = outputs_, .hidden = spec.hidden, .dropout = spec.dropout},
           layout, cut, arena),
      head_(layout, "top.logit", top_.outputs()),
      vectors_(arena.Take(cut.rows_max * (dim() + embedding_columns()))),
      dvectors_(arena.Take(cut.rows_max * (dim() + embedding_columns()))),
      top_input_(arena.Take(cut.rows_max * outputs_)),
      dtop_input_(arena.Take(cut.block_rows * outputs_)) {}

void DeviceDlrm::ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) {
  const Matrix vectors = Vectors(vectors_, block);
  const Matrix top_input = TopInput(block);
  bottom_.Forward(pass, block, Numbers(block));
  EnqueuePlace(pass, identity(), bottom_.Output(block), vectors.Columns(0, dim()));
  Gather(pass, block, vectors.Columns(dim(), embedding_columns()), nullptr);
  pass.stream->Launch(
      device::DotInteractionCall{.v = vectors.data,
                                 .y = top_input.data,
                                 .examples = static_cast<std::uint32_t>(block.count),
                                 .vectors = spec().field_count + 1,
                                 .dim = dim(),
                                 .v_stride = static_cast<std::uint32_t>(vectors.stride),
                                 .y_stride = static_cast<std::uint32_t>(top_input.stride)});
  top_.Forward(pass, block, top_input);
  head_.Forward(pass, top_.Output(block), logits);
}

void DeviceDlrm::BackwardBlock(const DevicePass& pass, RowBlock block,
                               const float* logit_gradients) {
  const Matrix vectors = Vectors(vectors_, block);
  const Matrix dvectors = Vectors(dvectors_, block);
  const Matrix dtop_input = WholeMatrix(dtop_input_, block.count, outputs_);
  AddBiasGradients(pass, block, logit_gradients);
  head_.InputGradients(pass, logit_gradients, top_.OutputGradients(block));
  top_.Backward(pass, block, TopInput(block), dtop_input);
  pass.stream->Launch(
      device::DotGradientCall{.v = vectors.data,
                              .dy = dtop_input.data,
                              .dv = dvectors.data,
                              .examples = static_cast<std::uint32_t>(block.count),
                              .vectors = spec().field_count + 1,
                              .dim = dim(),
                              .v_stride = static_cast<std::uint32_t>(vectors.stride),
                              .y_stride = static_cast<std::uint32_t>(dtop_input.stride)});
  DropGradients(pass, block, dvectors.Columns(dim(), embedding_columns()));
  EnqueuePlace(pass, identity(), dvectors.Columns(0, dim()), bottom_.OutputGradients(block));
  bottom_.Backward(pass, block, Numbers(block), Matrix());
}

void DeviceDlrm::AddWholeGradients(const DevicePass& pass, const float* logit_gradients) {
  head_.AddGradients(pass, cut(), top_.Output({0, room().shape().examples}), logit_gradients);
}

}  // namespace longtail::examples
