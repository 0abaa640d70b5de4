// Arrays in a device's memory that are taken once and go with their owner.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "worker/device/device.h"

namespace longtail::examples {

/// Layers take their arrays here while they are made; who makes a model asks for the first error
/// then, and enqueues nothing after one.
///
/// Thread: one at a time. The device must outlive it.
class DeviceArena {
 public:
  explicit DeviceArena(device::Device& device) : device_(device) {}

  /// Floats of the device, aligned to 256 bytes; null after an error.
  float* Take(std::size_t count) {
    if (!status_.ok()) return nullptr;
    absl::StatusOr<device::Memory> memory =
        device_.Allocate(device::MemoryKind::kDevice, count * sizeof(float));
    if (!memory.ok()) {
      status_ = memory.status();
      return nullptr;
    }
    memory_.push_back(*std::move(memory));
    return memory_.back().At<float>(0);
  }

  const absl::Status& status() const { return status_; }

 private:
  device::Device& device_;
  std::vector<device::Memory> memory_;
  absl::Status status_;
};

}  // namespace longtail::examples
