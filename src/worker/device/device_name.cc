#include "worker/device/device_name.h"

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace longtail::device {

absl::StatusOr<DeviceName> ParseDeviceName(std::string_view text) {
  constexpr std::string_view kCudaIndex = "cuda:";
  if (text == "auto") return DeviceName{.kind = DeviceKind::kAuto};
  if (text == "cpu") return DeviceName{.kind = DeviceKind::kCpu};
  if (text == "cuda") return DeviceName{.kind = DeviceKind::kCuda};
  if (text.substr(0, kCudaIndex.size()) == kCudaIndex) {
    const std::string_view digits = text.substr(kCudaIndex.size());
    int index = 0;
    const bool is_number =
        digits.find_first_not_of("0123456789") == std::string_view::npos &&
        absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &index);
    if (is_number && index < kCudaDevicesMax) {
      return DeviceName{.kind = DeviceKind::kCuda, .index = index};
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("device '", std::string(text),
                                                 "': want auto, cpu, cuda or cuda:N, N 0..",
                                                 kCudaDevicesMax - 1));
}

std::string ToText(const DeviceName& name) {
  switch (name.kind) {
    case DeviceKind::kAuto:
      return "auto";
    case DeviceKind::kCpu:
      return "cpu";
    case DeviceKind::kCuda:
      return absl::StrCat("cuda:", name.index);
  }
  return "unknown";
}

}  // namespace longtail::device
