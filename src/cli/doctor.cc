#include "cli/doctor.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/version.h"
#include "cli/doctor_answer.h"
#include "cli/doctor_cluster.h"
#include "cli/doctor_machine.h"
#include "cli/doctor_network.h"
#include "cli/doctor_places.h"
#include "cli/status_answer.h"
#include "cli/tar_file.h"
#include "cluster/cluster_status.h"
#include "cluster/status_json.h"

namespace longtail::cli {
namespace {

constexpr const char* kMachineFiles[] = {"/proc/self/limits",
                                         "/proc/self/cgroup",
                                         "/proc/meminfo",
                                         "/proc/loadavg",
                                         "/proc/sys/vm/overcommit_memory",
                                         "/sys/kernel/mm/transparent_hugepage/enabled",
                                         "/sys/kernel/mm/transparent_hugepage/defrag",
                                         "/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory.current",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                                         "/sys/fs/cgroup/memory/memory.usage_in_bytes"};

std::string VersionsText() {
  utsname system{};
  uname(&system);
  return absl::StrCat("longtail ", ProgramVersion(), "\n", system.sysname, " ", system.release, " ",
                      system.version, " ", system.machine, "\n");
}

absl::Status WriteFile(const std::string& path, std::string_view bytes) {
  const auto failed = [&] {
    return absl::UnavailableError(
        absl::StrCat("bundle '", path, "': cannot be written: ", std::strerror(errno)));
  };
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed();
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      absl::Status status = failed();
      close(fd);
      return status;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return close(fd) == 0 ? absl::OkStatus() : failed();
}

}  // namespace

Findings RunDoctor(const DoctorOptions& options) {
  Findings findings;
  CheckMachine({.memory_bytes = options.memory_mib << 20,
                .lanes = options.listen.empty() ? 0 : options.lanes},
               options.system_root, findings);
  if (!options.log.empty()) CheckStore("log", options.log, findings);
  if (!options.store.empty()) CheckStore("store", options.store, findings);
  if (!options.state.empty()) CheckState(options.state, findings);
  if (!options.listen.empty()) {
    CheckListen("listen", options.listen, options.lanes * options.replicas, findings);
  }
  if (!options.admin.empty()) CheckListen("admin", "tcp://" + options.admin, 1, findings);
  if (!options.listen.empty() || !options.advertise.empty()) {
    CheckAdvertise(options.advertise, options.listen, findings);
  }
  if (!options.coordinator.empty()) CheckCluster(options.coordinator, options.timeout, findings);
  return findings;
}

absl::Status WriteBundle(const std::string& path, const DoctorOptions& options,
                         const Findings& findings) {
  TarFile tar(absl::Now());
  const std::string top = "longtail-doctor/";
  tar.Add(top + "doctor.txt", DoctorText(findings));
  tar.Add(top + "doctor.json", DoctorJson(findings));
  tar.Add(top + "versions.txt", VersionsText());
  if (!options.coordinator.empty()) {
    const absl::StatusOr<ClusterStatus> status =
        ReadClusterStatus(options.coordinator, options.timeout);
    const std::string problem(status.status().message());
    tar.Add(top + "status.txt", status.ok() ? StatusText(*status) : problem + "\n");
    if (status.ok()) tar.Add(top + "status.json", StatusJson(*status));
  }
  for (const char* const file : kMachineFiles) {
    const std::ifstream opened(options.system_root + file);
    if (!opened.is_open()) continue;
    std::ostringstream text;
    text << opened.rdbuf();
    std::string name = std::string(file).substr(1);
    std::ranges::replace(name, '/', '-');
    tar.Add(top + name, text.str());
  }
  return WriteFile(path, tar.Bytes());
}

}  // namespace longtail::cli
