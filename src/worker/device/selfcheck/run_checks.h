// Runs the checks of a device against the CPU's, and times them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/device/device.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {

struct CheckOptions {
  /// Each check is compared for so many examples; at least 1 each.
  std::vector<std::uint32_t> examples = {1, 37, 1000};
  std::uint32_t timed_examples = 1 << 16;        ///< 0: nothing is timed.
  absl::Duration time = absl::Milliseconds(50);  ///< Of each check, at least.
  std::uint32_t copy_floats = 1 << 26;           ///< Of the copy that says how fast memory is.
  std::uint32_t product_size = 4096;  ///< Of the square matrices that say how fast products are.
};

/// What a device can do at most, as measured: by copies within its memory, of what is read and
/// written; by one product of square matrices.
struct Peaks {
  double bytes_per_second = 0;
  double flops_per_second = 0;
  double host_bytes_per_second = 0;  ///< From pinned memory to the device.
};

struct CheckResult {
  std::string name;
  double tolerance = 0;
  std::string difference;  ///< Empty: none. Else with the number of examples.
  // If it was timed, for one run of timed_examples.
  double seconds = 0;
  Work work{};
  double roofline = 0;  ///< The time that the peaks allow, divided by its own.
};

struct CheckReport {
  std::vector<CheckResult> results;
  Peaks peaks;

  bool is_well() const;
};

/// Runs them one after the other.
///
/// Errors: those of the device, with the check's name; a difference is none.
absl::StatusOr<CheckReport> RunChecks(Device& device, const std::vector<DeviceCheck>& checks,
                                      const CheckOptions& options);

}  // namespace longtail::device
