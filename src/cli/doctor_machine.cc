#include "cli/doctor_machine.h"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/number_text.h"

namespace longtail::cli {
namespace {

// A connection takes one: of each worker to each lane, of each follower, of files of logs.
constexpr std::uint64_t kFilesFew = 4096;
constexpr std::uint64_t kFilesMin = 256;
// Less than that is no limit that anybody set.
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 60;
constexpr double kNearlyFull = 0.9;
constexpr double kPlannedShare = 0.85;

std::string ReadWord(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

std::optional<std::uint64_t> ReadNumber(const std::string& path) {
  std::uint64_t number = 0;
  if (!absl::SimpleAtoi(ReadWord(path), &number)) return std::nullopt;
  return number;
}

// The number behind `name` in a file of lines "NAME NUMBER …", in its own unit.
std::uint64_t Entry(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first;
    std::uint64_t number = 0;
    if (words >> first >> number && first == name) return number;
  }
  return 0;
}

std::string GibText(std::uint64_t bytes) {
  return absl::StrFormat("%.2f GiB", static_cast<double>(bytes) / (std::uint64_t{1} << 30));
}

// One kind of control groups' files.
struct GroupFiles {
  std::string mount;  // Under the root.
  const char* limit;
  const char* used;
  const char* reclaimable;
};

// The group of this process in a hierarchy, "" if it is in none: a line "N:CONTROLLERS:PATH".
std::string GroupOf(const std::string& root, const std::string& controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers.find("," + controller + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return "";
}

// Takes the limits of a group and of those above it. (Within a container a group's path may be that
// of the host, and what is mounted the group itself: so the mount is looked at, too.)
void TakeGroups(const std::string& root, const GroupFiles& files, std::string group,
                std::optional<MemoryLimit>& narrowest) {
  for (;;) {
    const std::string directory = root + files.mount + (group == "/" ? "" : group);
    const auto limit = ReadNumber(directory + "/" + files.limit);
    const auto used = ReadNumber(directory + "/" + files.used);
    if (limit && used && *limit < kUnlimited && (!narrowest || *limit < narrowest->limit_bytes)) {
      const std::uint64_t files_bytes = Entry(directory + "/memory.stat", files.reclaimable);
      narrowest = {.limit_bytes = *limit,
                   .used_bytes = *used - std::min(*used, files_bytes),
                   .where = files.mount + (group == "/" ? "" : group)};
    }
    if (group.empty() || group == "/") return;
    group.resize(group.rfind('/'));
  }
}

void CheckFiles(Findings& findings) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string seen = absl::StrCat("at most ", GroupedText(limit.rlim_cur), " open files");
  const std::string fix = absl::StrCat(
      "ulimit -n ", std::min<std::uint64_t>(limit.rlim_max, 65536),
      " before the program, LimitNOFILE=65536 in its systemd unit",
      limit.rlim_max < kFilesFew ? "; the hard limit must be raised first, as root" : "");
  if (limit.rlim_cur < kFilesMin) return findings.Fail("nofile", "", seen, fix);
  if (limit.rlim_cur < kFilesFew) {
    return findings.Warn("nofile", "", seen + ": each connection takes one", fix);
  }
  findings.Ok("nofile", "", seen);
}

void CheckAddressSpace(const MachineNeeds& needs, Findings& findings) {
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return findings.Ok("address-space", "", "no limit");
  // Blocks of rows double in size, so a table asks for up to twice what it has come to use.
  const std::string seen = absl::StrCat("at most ", GibText(limit.rlim_cur),
                                        ", and a table asks for up to twice what it fills");
  const std::string fix =
      "ulimit -v unlimited before the program; bound its memory by a control "
      "group instead";
  if (needs.memory_bytes != 0 && limit.rlim_cur < 2 * needs.memory_bytes) {
    return findings.Fail("address-space", "", seen, fix);
  }
  findings.Warn("address-space", "", seen, fix);
}

void CheckMemory(const MachineNeeds& needs, const std::string& root, Findings& findings) {
  const std::optional<MemoryLimit> memory = ReadMemoryLimit(root);
  if (!memory) {
    return findings.Warn("memory", "", "neither /proc/meminfo nor a control group tells how much",
                         "mount /proc and /sys/fs/cgroup where the program runs");
  }
  const std::string planned =
      needs.memory_bytes == 0 ? "" : absl::StrCat(", ", GibText(needs.memory_bytes), " planned");
  const std::string seen = absl::StrCat(GibText(memory->limit_bytes), " of ", memory->where, ", ",
                                        GibText(memory->used_bytes), " used", planned);
  const std::string fix =
      "raise the limit (resources.limits.memory in Kubernetes), or have fewer rows on this server: "
      "`longtail plan` tells what they take, `longtail drain` moves them";
  const auto limit = static_cast<double>(memory->limit_bytes);
  if (needs.memory_bytes > memory->limit_bytes) return findings.Fail("memory", "", seen, fix);
  if (static_cast<double>(needs.memory_bytes) > kPlannedShare * limit ||
      static_cast<double>(memory->used_bytes) > kNearlyFull * limit) {
    return findings.Warn("memory", "", seen, fix);
  }
  findings.Ok("memory", "", seen);
}

void CheckHugePages(const std::string& root, Findings& findings) {
  constexpr const char* kPath = "/sys/kernel/mm/transparent_hugepage/enabled";
  std::ifstream file(root + kPath);
  std::string modes;
  std::getline(file, modes);
  const std::size_t from = modes.find('[');
  const std::size_t to = modes.find(']');
  if (from == std::string::npos || to == std::string::npos || to < from) {
    return findings.Warn("huge-pages", "",
                         "this kernel has none: a look-up in a large table "
                         "misses the TLB, too",
                         "run on a kernel with transparent huge pages");
  }
  const std::string mode = modes.substr(from + 1, to - from - 1);
  if (mode == "never") {
    return findings.Warn("huge-pages", "",
                         absl::StrCat(kPath,
                                      " is never: a look-up in a large table misses the "
                                      "TLB, too"),
                         absl::StrCat("echo madvise > ", kPath, ", as root of the machine"));
  }
  findings.Ok("huge-pages", "", mode);
}

void CheckPromises(const std::string& root, Findings& findings) {
  const auto mode = ReadNumber(root + "/proc/sys/vm/overcommit_memory");
  if (!mode || *mode != 2) return findings.Ok("overcommit", "", absl::StrCat(mode.value_or(0)));
  findings.Warn("overcommit", "",
                "vm.overcommit_memory is 2: memory that a table asks for and has yet to fill "
                "counts as used",
                "sysctl vm.overcommit_memory=0, as root of the machine");
}

void CheckCores(const MachineNeeds& needs, Findings& findings) {
  const std::uint32_t cores = std::thread::hardware_concurrency();
  if (needs.lanes == 0 || cores == 0) return;
  const std::string seen =
      absl::StrCat(CountedText(needs.lanes, "lane"), ", ", CountedText(cores, "core"));
  if (needs.lanes <= cores) return findings.Ok("cores", "", seen);
  findings.Warn("cores", "", seen + ": lanes take them from one another",
                absl::StrCat("--lanes ", cores, " at the most, or a larger machine"));
}

}  // namespace

std::optional<MemoryLimit> ReadMemoryLimit(const std::string& root) {
  std::optional<MemoryLimit> narrowest;
  const std::uint64_t total = Entry(root + "/proc/meminfo", "MemTotal:") * 1024;
  const std::uint64_t available = Entry(root + "/proc/meminfo", "MemAvailable:") * 1024;
  if (total != 0) {
    narrowest = {.limit_bytes = total,
                 .used_bytes = total - std::min(total, available),
                 .where = "the machine"};
  }
  TakeGroups(root,
             {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
              "total_inactive_file"},
             GroupOf(root, "memory"), narrowest);
  TakeGroups(root, {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
             GroupOf(root, ""), narrowest);
  return narrowest;
}

void CheckMachine(const MachineNeeds& needs, const std::string& root, Findings& findings) {
  CheckFiles(findings);
  CheckAddressSpace(needs, findings);
  CheckMemory(needs, root, findings);
  CheckHugePages(root, findings);
  CheckPromises(root, findings);
  CheckCores(needs, findings);
}

}  // namespace longtail::cli
