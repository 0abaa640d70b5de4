#include "worker/device/open_device.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "worker/device/cuda_device.h"
#include "worker/device/cuda_library.h"

namespace longtail::device {
namespace {

absl::StatusOr<std::unique_ptr<Device>> OpenCuda(const DeviceOptions& options) {
  LONGTAIL_ASSIGN_OR_RETURN(const CudaTable* table, LoadCudaLibrary(options.cuda_library));
  return CudaDevice::Open(*table, {.index = options.name.index, .precision = options.precision});
}

OpenedDevice OpenCpu(const DeviceOptions& options, const std::string& why) {
  return {.device = std::make_unique<CpuDevice>(options.cpu),
          .sentence = absl::StrCat("device: cpu", why)};
}

}  // namespace

absl::StatusOr<OpenedDevice> OpenDevice(const DeviceOptions& options) {
  if (options.name.kind == DeviceKind::kCpu) return OpenCpu(options, "");
  absl::StatusOr<std::unique_ptr<Device>> cuda = OpenCuda(options);
  if (cuda.ok()) {
    const std::string sentence = absl::StrCat("device: ", (*cuda)->description());
    return OpenedDevice{.device = *std::move(cuda), .sentence = sentence};
  }
  if (options.name.kind == DeviceKind::kCuda) return cuda.status();
  return OpenCpu(options, absl::StrCat(", since there is no GPU to use: ",
                                       absl::string_view(cuda.status().message())));
}

}  // namespace longtail::device
