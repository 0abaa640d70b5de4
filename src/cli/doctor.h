// `longtail doctor`: looks at what a process of a cluster needs, before it is missing.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/doctor_findings.h"

namespace longtail::cli {

/// What it is told of is checked, and the machine always. All may be empty.
struct DoctorOptions {
  std::string coordinator{};  ///< tcp://HOST:PORT, or a file that holds it.
  std::string store{};        ///< As `serve` takes these.
  std::string log{};
  std::string listen{};
  std::string advertise{};
  std::string admin{};
  std::string state{};                        ///< As `coordinator` takes it.
  std::uint32_t lanes = 1;                    ///< Of the server that is to listen,
  std::uint32_t replicas = 1;                 ///< and replicas of each: it has a port for each.
  std::uint64_t memory_mib = 0;               ///< That it is to take; 0: not said.
  absl::Duration timeout = absl::Seconds(3);  ///< Of each wait for another process.
  std::string system_root{};                  ///< Where /proc and /sys are, if not there.
};

/// Checks the machine, the places, the ports, the cluster, in this order. Leaves nothing behind.
Findings RunDoctor(const DoctorOptions& options);

/// Writes a tar archive for a report of a mistake: the findings, what the cluster says of itself,
/// this machine's limits. No key and nothing of the environment is in it; names and addresses are.
///
/// Errors: Unavailable naming the file and the system's reason.
absl::Status WriteBundle(const std::string& path, const DoctorOptions& options,
                         const Findings& findings);

}  // namespace longtail::cli
