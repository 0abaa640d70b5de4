// The CPU as a device: memory of the host, streams of cpu_stream.h, kernels as plain loops.
#pragma once

#include <memory>
#include <string>

#include "worker/device/cpu_stream.h"
#include "worker/device/device.h"

namespace longtail::device {

struct CpuDeviceOptions {
  CpuStreams streams = CpuStreams::kThreads;
  CpuGemm gemm = &PlainGemm;  ///< A BLAS's, if there is one: set to one thread.
};

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const CpuDeviceOptions& options) : options_(options) {}

  std::string description() const override { return "cpu"; }
  bool is_host() const override { return true; }
  absl::StatusOr<Memory> Allocate(MemoryKind kind, std::size_t bytes) override;
  absl::StatusOr<std::unique_ptr<Stream>> MakeStream(const StreamOptions& options) override;
  absl::StatusOr<std::unique_ptr<Event>> MakeEvent(const std::string& name) override;

 private:
  void Free(MemoryKind kind, void* data) override;

  const CpuDeviceOptions options_;
};

}  // namespace longtail::device
