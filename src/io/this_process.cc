#include "io/this_process.h"

#include <unistd.h>

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
