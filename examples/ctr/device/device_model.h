// A click-through model on a device: forward, loss and backward of a step, enqueued on a stream.
//
// The models are those of examples/ctr/models, their parameters in the same flat layout; what is
// enqueued gives the same bits on the CPU's device. Batch norm has no kernels and is refused.
//
// What a step enqueues depends on its room, its bounds and its gradient scale, and on nothing else:
// so it may be recorded, and launched again for another step (worker/device/step_graphs.h).
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/ctr/device/device_arena.h"
#include "examples/ctr/device/device_layers.h"
#include "examples/ctr/models/model.h"
#include "worker/device/gradient_sums.h"
#include "worker/device/step_room.h"

namespace longtail::examples {

/// A training step of a model.
struct DeviceStep {
  float gradient_scale = 1;     ///< Of every example's loss.
  device::RangeSinks ranges{};  ///< Told of "forward" and "backward".
};

/// Thread: one at a time.
/// Cost:   Enqueue allocates nothing and waits for nothing.
class DeviceModel {
 public:
  virtual ~DeviceModel() = default;
  DeviceModel(const DeviceModel&) = delete;
  DeviceModel& operator=(const DeviceModel&) = delete;

  /// Enqueues all of a step behind the arrival of its rows: the room's logits, loss sums and row
  /// gradients, and the parameters' gradients.
  ///
  /// Shapes: parameters, gradients [layout.size()], of the device; gradients are overwritten.
  void Enqueue(device::Stream& stream, const DeviceStep& step, const device::StepRoom& room,
               const float* parameters, float* gradients);

 protected:
  DeviceModel(const ModelSpec& spec, const ParameterLayout& layout, const DeviceCut& cut,
              DeviceArena& arena);

  /// Adds the block's logits, of its first example on.
  virtual void ForwardBlock(const DevicePass& pass, RowBlock block, float* logits) = 0;

  /// Adds the block's gradients to the parameters' and writes those of its embeddings.
  virtual void BackwardBlock(const DevicePass& pass, RowBlock block,
                             const float* logit_gradients) = 0;

  /// Adds what is summed over all examples at once.
  virtual void AddWholeGradients(const DevicePass& pass, const float* logit_gradients) = 0;

  /// Where embedding gradients are, [examples, field_count * dim].
  virtual ConstMatrix EmbeddingGradients() const = 0;

  /// Writes the embeddings of a block, with dropout, and adds their linear sums to `logits`.
  void Gather(const DevicePass& pass, RowBlock block, Matrix embeddings, float* logits) const;

  void AddBiasGradients(const DevicePass& pass, RowBlock block, const float* logit_gradients) const;

  /// On the way back the same elements are dropped.
  void DropGradients(const DevicePass& pass, RowBlock block, Matrix embedding_gradients) const;

  Matrix Numbers(RowBlock block) const;
  const std::uint32_t* identity() const { return identity_; }
  const ModelSpec& spec() const { return spec_; }
  const DeviceCut& cut() const { return cut_; }
  const device::StepRoom& room() const { return *room_; }
  std::uint32_t dim() const { return dim_; }
  std::size_t embedding_columns() const { return std::size_t{spec_.field_count} * dim_; }

 private:
  friend absl::StatusOr<std::unique_ptr<DeviceModel>> MakeDeviceModel(device::Device& device,
                                                                      device::Stream& stream,
                                                                      const ModelSpec& spec,
                                                                      const ParameterLayout& layout,
                                                                      std::uint32_t keys_max);
  void SumRowGradients(const DevicePass& pass);

  const ModelSpec spec_;
  const DeviceCut cut_;
  const std::uint32_t dim_;
  const std::size_t bias_offset_;
  const std::size_t parameter_count_;
  const Dropout embedding_dropout_;
  std::unique_ptr<DeviceArena> arena_;
  std::unique_ptr<device::GradientSums> sums_;
  float* scratch_ = nullptr;
  std::uint32_t* identity_ = nullptr;  ///< [rows_max] 0, 1, 2, …
  const device::StepRoom* room_ = nullptr;
};

/// Makes a model for steps of at most spec.batch_max examples and keys_max keys. What is enqueued
/// on `stream` must be done before it is used. The device must outlive it.
///
/// Errors: as Validate(spec); Unimplemented for batch norm, naming the model; InvalidArgument for
///         sizes beyond a kernel's; as Device::Allocate.
absl::StatusOr<std::unique_ptr<DeviceModel>> MakeDeviceModel(device::Device& device,
                                                             device::Stream& stream,
                                                             const ModelSpec& spec,
                                                             const ParameterLayout& layout,
                                                             std::uint32_t keys_max);

}  // namespace longtail::examples
