// Which device was asked for: the words of --device.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace longtail::device {

enum class DeviceKind : std::uint8_t {
  kAuto,  ///< The first CUDA device if there is one, else the CPU.
  kCpu,
  kCuda,
};

struct DeviceName {
  DeviceKind kind = DeviceKind::kAuto;
  int index = 0;  ///< Of a CUDA device.

  bool operator==(const DeviceName&) const = default;
};

/// The most CUDA devices of one host.
inline constexpr int kCudaDevicesMax = 64;

/// Reads "auto", "cpu", "cuda" (the first) or "cuda:N".
///
/// Errors: InvalidArgument, with the text and what was wanted.
absl::StatusOr<DeviceName> ParseDeviceName(std::string_view text);

/// The text that ParseDeviceName reads.
std::string ToText(const DeviceName& name);

}  // namespace longtail::device
