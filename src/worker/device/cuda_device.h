// A CUDA device, by way of the component's table. No CUDA header is needed here.
#pragma once

#include <memory>
#include <string>

#include "worker/device/cuda/cuda_table.h"
#include "worker/device/device.h"

namespace longtail::device {

class CudaDevice final : public Device {
 public:
  struct Options {
    int index = 0;
    GemmPrecision precision = GemmPrecision::kFloat32;
  };

  /// Errors: FailedPrecondition if there is no driver; NotFound if there is no such device;
  /// Internal
  ///         with what CUDA said.
  static absl::StatusOr<std::unique_ptr<CudaDevice>> Open(const CudaTable& table,
                                                          const Options& options);

  std::string description() const override { return description_; }
  bool is_host() const override { return false; }
  RangeSink* profiler() override { return &nvtx_; }
  absl::StatusOr<Memory> Allocate(MemoryKind kind, std::size_t bytes) override;
  absl::StatusOr<std::unique_ptr<Stream>> MakeStream(const StreamOptions& options) override;
  absl::StatusOr<std::unique_ptr<Event>> MakeEvent(const std::string& name) override;

 private:
  // Profilers of CUDA are told by NVTX; without one a range ends at a null pointer of theirs.
  class Nvtx final : public RangeSink {
   public:
    explicit Nvtx(const CudaTable& table) : table_(table) {}
    void Begin(const char* name) override { table_.begin_range(name); }
    void End() override { table_.end_range(); }

   private:
    const CudaTable& table_;
  };

  CudaDevice(const CudaTable& table, const Options& options, std::string description)
      : table_(table), options_(options), description_(std::move(description)), nvtx_(table) {}
  void Free(MemoryKind kind, void* data) override;

  const CudaTable& table_;
  const Options options_;
  const std::string description_;
  Nvtx nvtx_;
};

}  // namespace longtail::device
