#include "examples/common/report/environment.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace longtail::examples {
namespace {

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return {};
}

// Those of the affinity mask: a container's share is often less than the machine.
std::uint32_t CoreCount() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return static_cast<std::uint32_t>(CPU_COUNT(&cores));
  }
  return std::thread::hardware_concurrency();
}

std::uint64_t MemoryBytes() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_size <= 0) return 0;
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size);
}

std::string Compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return {};
#endif
}

}  // namespace

Environment CollectEnvironment(std::string_view blas) {
  Environment environment;
  utsname names{};
  if (uname(&names) == 0) {
    environment.machine = std::string(names.machine) + " " + names.nodename;
    environment.operating_system = std::string(names.sysname) + " " + names.release;
  }
  environment.cpu_model = CpuModel();
  environment.core_count = CoreCount();
  environment.memory_bytes = MemoryBytes();
  environment.compiler = Compiler();
  environment.build_type = LONGTAIL_BUILD_TYPE;
  environment.blas = std::string(blas);
  environment.version = LONGTAIL_VERSION;
  return environment;
}

}  // namespace longtail::examples
