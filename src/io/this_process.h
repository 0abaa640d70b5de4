// What a process says of itself to others: where it runs, that it is not the one before it, how
// large it is.
#pragma once

#include <cstdint>
#include <string>

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

}  // namespace longtail
