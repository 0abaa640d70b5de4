// The dense parameters of a model on a device, with their gradients and their optimizer's state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "examples/common/nn/dense_optimizer.h"
#include "examples/common/nn/parameters.h"
#include "examples/ctr/device/device_arena.h"
#include "worker/device/step_room.h"

namespace longtail::examples {

/// Thread: one at a time; all on one stream.
class DeviceDense {
 public:
  /// Errors: as Device::Allocate.
  static absl::StatusOr<std::unique_ptr<DeviceDense>> Make(device::Device& device,
                                                           const DenseOptimizerSpec& spec,
                                                           const ParameterLayout& layout);

  /// Copies parameters and state there, and waits.
  absl::Status Load(device::Stream& stream, const Parameters& parameters,
                    DenseOptimizer& optimizer);

  /// Copies parameters and state back, and waits for all that was enqueued before.
  absl::Status Save(device::Stream& stream, Parameters& parameters,
                    DenseOptimizer& optimizer) const;

  /// Begins the next step, as DenseOptimizer: writes what its kernels read to `scalars`, of the
  /// host.
  void BeginStep(float learning_rate_factor, device::StepScalars& scalars);

  /// Enqueues a step of the optimizer, with gradients times `gradient_scale`. `scalars`, of the
  /// device, are what BeginStep wrote: the same commands serve every step.
  void Move(device::Stream& stream, const device::StepScalars* scalars, float gradient_scale) const;

  /// Of the device, [layout.size()].
  const float* parameters() const { return parameters_; }
  float* gradients() const { return gradients_; }

 private:
  DeviceDense(device::Device& device, const DenseOptimizerSpec& spec, const ParameterLayout& layout)
      : spec_(spec), layout_(layout), arena_(device) {}

  const DenseOptimizerSpec spec_;
  const ParameterLayout layout_;
  DeviceArena arena_;
  float* parameters_ = nullptr;
  float* gradients_ = nullptr;
  float* slots_ = nullptr;  ///< [slot_floats]
  std::size_t slot_floats_ = 0;
  std::uint64_t step_ = 0;
};

}  // namespace longtail::examples
