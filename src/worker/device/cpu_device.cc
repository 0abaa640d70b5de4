#include "worker/device/cpu_device.h"

#include <new>

#include "absl/strings/str_cat.h"

namespace longtail::device {
namespace {

constexpr std::align_val_t kAlignment{256};  // As CUDA's.

}  // namespace

absl::StatusOr<Memory> CpuDevice::Allocate(MemoryKind kind, std::size_t bytes) {
  void* data = ::operator new(bytes, kAlignment, std::nothrow);
  if (data == nullptr) {
    return absl::ResourceExhaustedError(absl::StrCat("device cpu: no ", bytes, " bytes are left"));
  }
  return Memory(this, kind, data, bytes);
}

void CpuDevice::Free(MemoryKind, void* data) {
  ::operator delete(data, kAlignment);
}

absl::StatusOr<std::unique_ptr<Stream>> CpuDevice::MakeStream(const StreamOptions& options) {
  return std::make_unique<CpuStream>(options, options_.streams, options_.gemm);
}

absl::StatusOr<std::unique_ptr<Event>> CpuDevice::MakeEvent(const std::string& name) {
  return std::make_unique<CpuEvent>(name);
}

}  // namespace longtail::device
