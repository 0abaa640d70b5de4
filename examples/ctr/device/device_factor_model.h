// LR, FM, Wide & Deep and DeepFM on a device, as FactorModel.
#pragma once

#include <cstdint>
#include <optional>

#include "examples/ctr/device/device_mlp.h"
#include "examples/ctr/device/device_model.h"

namespace longtail::examples {

class DeviceFactorModel final : public DeviceModel {
 public:
  DeviceFactorModel(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
                    DeviceArena& arena);

 private:
  void ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) override;
  void BackwardBlock(const DevicePass& pass, RowBlock block, const float* logit_gradients) override;
  void AddWholeGradients(const DevicePass& pass, const float* logit_gradients) override;
  ConstMatrix EmbeddingGradients() const override { return Inputs(dx_, {0, cut().rows_max}); }

  Matrix Inputs(float* data, RowBlock block) const {
    return WholeMatrix(data + block.begin * columns_, block.count, columns_);
  }
  device::SharedVectors NumericVectors(const DevicePass& pass, RowBlock block) const;

  const bool has_pairs_;
  const std::uint32_t numeric_vectors_;  ///< Numbers with a vector in the pairs: all or none.
  std::size_t numeric_offset_ = 0;
  std::optional<DeviceHead> numeric_head_;
  std::optional<DeviceMlp> mlp_;
  std::optional<DeviceHead> mlp_head_;
  std::size_t columns_;  ///< Of x: embeddings, and numbers if there is an MLP.
  float* x_;             ///< [rows_max, columns]
  float* dx_;            ///< [rows_max, columns]
  float* pair_sums_;     ///< [rows_max, dim]
};

}  // namespace longtail::examples
