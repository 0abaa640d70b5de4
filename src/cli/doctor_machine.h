// What `longtail doctor` asks the machine: its limits, its memory, its pages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/doctor_findings.h"

namespace longtail::cli {

/// What a process is to need here; 0: not said.
struct MachineNeeds {
  std::uint64_t memory_bytes = 0;
  std::uint32_t lanes = 0;
};

/// The memory that a process may use and what is used of it, of the control groups that it is in
/// and those above them, the narrowest of all.
struct MemoryLimit {
  std::uint64_t limit_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< Without pages of files that the system can take back.
  std::string where;             ///< The group's directory; "the machine" if no group has a limit.
};

/// Reads what /proc and /sys under `root` say: "" for this machine's own. None if they say nothing.
std::optional<MemoryLimit> ReadMemoryLimit(const std::string& root);

/// Open files, address space, memory, huge pages, promised memory, cores.
void CheckMachine(const MachineNeeds& needs, const std::string& root, Findings& findings);

}  // namespace longtail::cli
