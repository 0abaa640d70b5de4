#include "io/this_process.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <system_error>

#include "absl/strings/numbers.h"
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

namespace {

// Of one control group and those around it. Version 2 writes "max" where there is no limit, version
// 1 a number beyond any memory.
std::uint64_t GroupLimitBytes(const std::string& mount, const std::string& group,
                              const char* file) {
  std::uint64_t least = ~std::uint64_t{0};
  for (std::string path = group;; path.resize(path.rfind('/'))) {
    std::string text;
    std::uint64_t limit = 0;
    std::ifstream(absl::StrCat(mount, path, "/", file)) >> text;
    if (absl::SimpleAtoi(text, &limit)) least = std::min(least, limit);
    if (path.empty()) return least;
  }
}

}  // namespace

std::uint64_t MemoryLimitBytes() {
  std::uint64_t least = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream groups("/proc/self/cgroup");
  // "0::/path" is version 2; "9:memory:/path", or with other controllers beside, version 1.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t controllers = line.find(':') + 1;
    const std::size_t colon = line.find(':', controllers);
    if (controllers == 0 || colon == std::string::npos) continue;
    const std::string names = absl::StrCat(",", line.substr(controllers, colon - controllers), ",");
    std::string path = line.substr(colon + 1);
    while (!path.empty() && path.back() == '/') path.pop_back();
    if (names == ",,") {
      least = std::min(least, GroupLimitBytes("/sys/fs/cgroup", path, "memory.max"));
    } else if (names.find(",memory,") != std::string::npos) {
      least =
          std::min(least, GroupLimitBytes("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"));
    }
  }
  return least;
}

std::uint64_t OpenFiles() {
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

// proc(5): field 22 of stat is the start since boot, in clock ticks; the second one, the program's
// name, may hold anything, but no field behind it a bracket.
absl::Time StartTime() {
  std::ifstream stat("/proc/self/stat");
  std::string fields((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
  std::istringstream rest(fields.substr(fields.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  std::uint64_t ticks = 0;
  std::uint64_t boot = 0;
  std::ifstream system("/proc/stat");
  for (std::string word; system >> word && word != "btime";) {
  }
  system >> boot;
  if (!absl::SimpleAtoi(field, &ticks) || boot == 0) return absl::UnixEpoch();
  return absl::FromUnixSeconds(static_cast<std::int64_t>(boot)) +
         absl::Seconds(static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

}  // namespace longtail
