// The memory that this process has, as the system counts it.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace longtail::bench {

inline std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// The CPU's name.
inline std::string Machine() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

/// A line with the CPU's name, how many there are, and what runs on them already.
inline void PrintMachine() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  std::printf("%s, %ld CPUs, load %.1f\n", Machine().c_str(), sysconf(_SC_NPROCESSORS_ONLN), load);
  std::fflush(stdout);
}

}  // namespace longtail::bench
