// Opens the device that was asked for, and says which it is.
#pragma once

#include <memory>
#include <string>

#include "worker/device/cpu_device.h"
#include "worker/device/device.h"
#include "worker/device/device_name.h"

namespace longtail::device {

struct DeviceOptions {
  DeviceName name{};
  std::string cuda_library{};  ///< The CUDA component's file; empty: see cuda_library.h.
  GemmPrecision precision = GemmPrecision::kFloat32;  ///< Of a CUDA device.
  CpuDeviceOptions cpu{};
};

struct OpenedDevice {
  std::unique_ptr<Device> device;

  /// "device: cuda:0 (…)", or "device: cpu", and with DeviceKind::kAuto why it is not a GPU. For a
  /// log or a terminal.
  std::string sentence;
};

/// With DeviceKind::kAuto there is always a device.
///
/// Errors: of kCuda, as LoadCudaLibrary and CudaDevice::Open.
absl::StatusOr<OpenedDevice> OpenDevice(const DeviceOptions& options);

}  // namespace longtail::device
