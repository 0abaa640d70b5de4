// DLRM on a device, as Dlrm.
#pragma once

#include "examples/ctr/device/device_mlp.h"
#include "examples/ctr/device/device_model.h"

namespace longtail::examples {

class DeviceDlrm final : public DeviceModel {
 public:
  DeviceDlrm(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
             DeviceArena& arena);

 private:
  void ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) override;
  void BackwardBlock(const DevicePass& pass, RowBlock block, const float* logit_gradients) override;
  void AddWholeGradients(const DevicePass& pass, const float* logit_gradients) override;
  ConstMatrix EmbeddingGradients() const override {
    return Vectors(dvectors_, {0, cut().rows_max}).Columns(dim(), embedding_columns());
  }

  Matrix Vectors(float* data, RowBlock block) const {
    const std::size_t columns = dim() + embedding_columns();
    return WholeMatrix(data + block.begin * columns, block.count, columns);
  }
  Matrix TopInput(RowBlock block) const {
    return WholeMatrix(top_input_ + block.begin * outputs_, block.count, outputs_);
  }

  std::size_t outputs_;  ///< Of the interaction.
  DeviceMlp bottom_;
  DeviceMlp top_;
  DeviceHead head_;
  float* vectors_;     ///< [rows_max, (1 + field_count) * dim]: bottom's output, embeddings.
  float* dvectors_;    ///< [rows_max, as vectors]
  float* top_input_;   ///< [rows_max, outputs]
  float* dtop_input_;  ///< [block_rows, outputs]
};

}  // namespace longtail::examples
