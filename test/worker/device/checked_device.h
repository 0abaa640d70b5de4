// A device of the host that notes which kernels were launched, and leaves out those it is told to:
// what must a check see.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/device/cpu_device.h"
#include "worker/device/cpu_kernels.h"
#include "worker/device/cpu_primitives.h"

namespace longtail::device {

/// Numbers of commands that are no kernels, behind those of kernels.
enum : std::size_t {
  kSortCommand = Kernels::kCount,
  kRunsCommand,
  kSumCommand,
  kPickCommand,
  kProductCommand,
  kCommandCount,
};

class CheckedDevice final : public Device {
 public:
  /// Leaves out commands of that number; kCommandCount: none.
  explicit CheckedDevice(std::size_t left_out = kCommandCount) : left_out_(left_out) {}

  const std::set<std::size_t>& seen() const { return seen_; }

  std::string description() const override { return "checked"; }
  bool is_host() const override { return true; }
  /// Zeros: what a command that was left out would have written is harmless.
  absl::StatusOr<Memory> Allocate(MemoryKind, std::size_t bytes) override {
    void* const data = ::operator new (bytes + 1, std::align_val_t{256});
    std::memset(data, 0, bytes + 1);
    return Memory(this, MemoryKind::kDevice, data, bytes);
  }
  absl::StatusOr<std::unique_ptr<Stream>> MakeStream(const StreamOptions& options) override {
    return std::make_unique<CheckedStream>(*this, options);
  }
  absl::StatusOr<std::unique_ptr<Event>> MakeEvent(const std::string& name) override {
    return std::make_unique<CpuEvent>(name);
  }

 private:
  class CheckedStream final : public Stream {
   public:
    CheckedStream(CheckedDevice& device, const StreamOptions& options)
        : device_(device), keys_(options.count_max), values_(options.count_max) {}

    void Copy(void* to, const void* from, std::size_t bytes) override {
      if (bytes != 0) std::memmove(to, from, bytes);
    }
    void Fill(void* to, std::uint8_t byte, std::size_t bytes) override {
      if (bytes != 0) std::memset(to, byte, bytes);
    }
    void Record(Event&) override {}
    void Wait(Event&) override {}
    void Sort(const SortPairs& call) override {
      if (device_.Does(kSortCommand)) SortOnCpu(call, {.keys = keys_, .values = values_});
    }
    void FindRuns(const RunLengths& call) override {
      if (device_.Does(kRunsCommand)) FindRunsOnCpu(call);
    }
    void Sum(const ExclusiveSum& call) override {
      if (device_.Does(kSumCommand)) SumOnCpu(call);
    }
    void Pick(const Select& call) override {
      if (device_.Does(kPickCommand)) PickOnCpu(call);
    }
    void Multiply(const Gemm& gemm) override {
      if (device_.Does(kProductCommand)) PlainGemm(Lower(gemm));
    }
    absl::Status Finish(absl::Duration) override { return absl::OkStatus(); }
    absl::Status FirstError() override { return absl::OkStatus(); }

   private:
    void LaunchKernel(std::size_t kernel, const void* call, std::size_t) override {
      if (device_.Does(kernel)) RunOnCpu(kernel, call);
    }

    CheckedDevice& device_;
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint32_t> values_;
  };

  void Free(MemoryKind, void* data) override { ::operator delete (data, std::align_val_t{256}); }
  bool Does(std::size_t command) {
    seen_.insert(command);
    return command != left_out_;
  }

  const std::size_t left_out_;
  std::set<std::size_t> seen_;
};

}  // namespace longtail::device
