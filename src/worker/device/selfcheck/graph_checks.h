// The checks of a device once more, recorded and launched as graphs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/device/device.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {

struct GraphReport {
  std::uint32_t checks = 0;              ///< That were recorded.
  std::uint64_t commands = 0;            ///< That their graphs stand for,
  std::uint64_t launches = 0;            ///< launched so often.
  std::vector<std::string> differences;  ///< Each with its check; errors of captures among them.

  bool is_well() const { return differences.empty(); }
};

/// Records what each check that can be enqueues, for so many examples, launches the graph twice and
/// compares with the CPU's doing it twice. So a graph that does not read again what has changed,
/// or that froze what differs from one time to the next, is a difference.
///
/// Errors: those of the device, with the check's name; a capture that fails is a difference.
absl::StatusOr<GraphReport> RunGraphChecks(Device& device, const std::vector<DeviceCheck>& checks,
                                           std::uint32_t examples);

}  // namespace longtail::device
