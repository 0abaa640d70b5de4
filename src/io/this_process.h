// What a process says of itself to others: where it runs, that it is not the one before it, how
// large it is.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace longtail {

/// Equal for processes that can reach one another by a socket file or the loopback address: same
/// boot of one machine, same network namespace.
std::string HostId();

/// The machine's name.
std::string HostName();

/// "machine:process".
std::string ProcessName();

/// A number that no other process has, but for a chance of 2^-64 or so. Never 0.
std::uint64_t DrawIncarnation();

/// Resident memory of this process; 0 if the system does not tell.
std::uint64_t ResidentBytes();

/// Memory that it may have: the least limit of its control groups, else what the machine has; 0 if
/// the system does not tell.
std::uint64_t MemoryLimitBytes();

/// Its open file descriptors; 0 if the system does not tell.
std::uint64_t OpenFiles();

/// When it began, to a hundredth of a second; the epoch if the system does not tell.
absl::Time StartTime();

}  // namespace longtail
