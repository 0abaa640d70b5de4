// The checks of `longtail gpu-selfcheck`: each enqueues the same work on a device and on the CPU's
// and compares all arrays, and may be timed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "worker/device/selfcheck/trial.h"

namespace longtail::device {

/// What one run does, as a roofline counts it.
struct Work {
  double bytes = 0;  ///< Read and written, each array once.
  double flops = 0;
};

/// What a check enqueues, on the trial's arrays; it may be enqueued again and again.
struct Launch {
  std::function<void(Stream& stream)> enqueue;
  Work work{};
};

struct DeviceCheck {
  std::string name;
  /// Makes arrays for `examples` examples. Not to be enqueued if the trial then has an error.
  std::function<Launch(Trial& trial, std::uint32_t examples)> prepare;
  double tolerance = 0;       ///< 0: bits; else see Trial::DifferenceFrom.
  bool is_recordable = true;  ///< Whether a graph can hold it: no events are in it.
};

/// The most items that a check's primitives need a stream for, with so many examples.
std::uint32_t CheckItemsMax(std::uint32_t examples);

/// By file: sparse_checks.cc and so on.
void AddPrimitiveChecks(std::vector<DeviceCheck>& checks);
void AddSparseChecks(std::vector<DeviceCheck>& checks);
void AddModelChecks(std::vector<DeviceCheck>& checks);
void AddDenseChecks(std::vector<DeviceCheck>& checks);
void AddCacheChecks(std::vector<DeviceCheck>& checks);

/// All of them: every kernel is launched by one, every primitive and the product.
std::vector<DeviceCheck> AllDeviceChecks();

}  // namespace longtail::device
