// DCN-v2 on a device, as DcnV2.
#pragma once

#include "examples/ctr/device/device_cross.h"
#include "examples/ctr/device/device_mlp.h"
#include "examples/ctr/device/device_model.h"

namespace longtail::examples {

class DeviceDcnV2 final : public DeviceModel {
 public:
  DeviceDcnV2(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
              DeviceArena& arena);

 private:
  void ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) override;
  void BackwardBlock(const DevicePass& pass, RowBlock block, const float* logit_gradients) override;
  void AddWholeGradients(const DevicePass& pass, const float* logit_gradients) override;
  ConstMatrix EmbeddingGradients() const override { return Inputs(dx_, {0, cut().rows_max}); }

  Matrix Inputs(float* data, RowBlock block) const {
    return WholeMatrix(data + block.begin * columns_, block.count, columns_);
  }

  std::size_t columns_;  ///< Embeddings and numbers.
  DeviceCross cross_;
  DeviceHead cross_head_;
  DeviceMlp mlp_;
  DeviceHead mlp_head_;
  float* x_;       ///< [rows_max, columns]
  float* dx_;      ///< [rows_max, columns]
  float* dcross_;  ///< [block_rows, columns]
};

}  // namespace longtail::examples
