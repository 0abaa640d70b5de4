#include "io/this_process.h"

#include <unistd.h>

#include <array>
#include <fstream>
#include <random>

#include "absl/strings/str_cat.h"

namespace longtail {

std::string HostId() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::array<char, 64> network{};
  const auto size = readlink("/proc/self/ns/net", network.data(), network.size() - 1);
  if (boot.empty() || size <= 0) return absl::StrCat(HostName(), "/", DrawIncarnation());
  return absl::StrCat(boot, "/", std::string(network.data(), static_cast<std::size_t>(size)));
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::string ProcessName() {
  return absl::StrCat(HostName().substr(0, 40), ":", getpid());
}

std::uint64_t DrawIncarnation() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) | 1;
}

std::uint64_t ResidentBytes() {
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace longtail
