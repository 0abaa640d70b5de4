#include "examples/ctr/device/device_dcn_v2.h"

namespace longtail::examples {

DeviceDcnV2::DeviceDcnV2(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
                         DeviceArena& arena)
    : DeviceModel(spec, layout, cut, arena),
      columns_(embedding_columns() + spec.numeric_count),
      cross_({.name = "cross", .width = columns_, .layers = spec.cross_layers}, layout, cut, arena),
      cross_head_(layout, "cross.logit", columns_),
      mlp_({.name = "mlp", .inputs = columns_, .hidden = spec.hidden, .dropout = spec.dropout},
           layout, cut, arena),
      mlp_head_(layout, "mlp.logit", mlp_.outputs()),
      x_(arena.Take(cut.rows_max * columns_)),
      dx_(arena.Take(cut.rows_max * columns_)),
      dcross_(arena.Take(cut.block_rows * columns_)) {}

void DeviceDcnV2::ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) {
  const Matrix x = Inputs(x_, block);
  const Matrix numbers = Numbers(block);
  Gather(pass, block, x.Columns(0, embedding_columns()), logits);
  if (numbers.columns > 0) {
    EnqueuePlace(pass, identity(), numbers, x.Columns(embedding_columns(), numbers.columns));
  }
  cross_.Forward(pass, block, x);
  mlp_.Forward(pass, block, x);
  cross_head_.Forward(pass, cross_.Output(block), logits);
  mlp_head_.Forward(pass, mlp_.Output(block), logits);
}

void DeviceDcnV2::BackwardBlock(const DevicePass& pass, RowBlock block,
                                const float* logit_gradients) {
  const Matrix x = Inputs(x_, block);
  const Matrix dx = Inputs(dx_, block);
  const Matrix dcross = WholeMatrix(dcross_, block.count, columns_);
  AddBiasGradients(pass, block, logit_gradients);
  mlp_head_.InputGradients(pass, logit_gradients, mlp_.OutputGradients(block));
  mlp_.Backward(pass, block, x, dx);
  cross_head_.InputGradients(pass, logit_gradients, dcross);
  cross_.Backward(pass, block, x, dcross, dx);
  DropGradients(pass, block, dx.Columns(0, embedding_columns()));
}

void DeviceDcnV2::AddWholeGradients(const DevicePass& pass, const float* logit_gradients) {
  const RowBlock all{0, room().shape().examples};
  mlp_head_.AddGradients(pass, cut(), mlp_.Output(all), logit_gradients);
  cross_head_.AddGradients(pass, cut(), cross_.Output(all), logit_gradients);
}

}  // namespace longtail::examples
