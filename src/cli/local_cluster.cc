#include "cli/local_cluster.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "cli/age_text.h"
#include "cli/number_text.h"
#include "cli/program_process.h"
#include "cluster/cluster_status.h"
#include "io/store_lock.h"

namespace longtail::cli {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kLookEvery = absl::Milliseconds(100);
constexpr char kCoordinator[] = "coordinator";
constexpr absl::Duration kKillPatience = absl::Seconds(5);
// What the name of a socket file may have in all, and what of it follows the directory.
constexpr std::size_t kSocketPathMax = 107;
constexpr std::size_t kSocketNameMax = 24;

struct Places {
  explicit Places(const std::string& given)
      : directory((fs::absolute(given) / ".").lexically_normal().parent_path().string()),
        cluster(LocalClusterFile(directory)),
        logs(directory + "/logs"),
        run(directory + "/run"),
        state(directory + "/state"),
        ipc(directory + "/ipc"),
        log(directory + "/log"),
        admin(run + "/admin") {}

  std::string Log(const std::string& name) const { return absl::StrCat(logs, "/", name, ".log"); }
  std::string PidFile(const std::string& name) const {
    return absl::StrCat(run, "/", name, ".pid");
  }

  std::string directory;
  std::string cluster;
  std::string logs;
  std::string run;
  std::string state;
  std::string ipc;
  std::string log;
  std::string admin;  // The file with the address of the coordinator's pages.
};

std::vector<ProgramProcess> Started(const Places& places) {
  std::vector<ProgramProcess> processes;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(places.run, ignored)) {
    if (entry.path().extension() == ".pid") {
      processes.push_back(ReadPidFile(entry.path().string()));
    }
  }
  std::ranges::sort(processes, {}, &ProgramProcess::name);
  return processes;
}

std::string WithPid(const ProgramProcess& process) {
  return absl::StrCat(process.name, " (process ", process.pid, ")");
}

// Makes the directory ready; the names of processes that live and go on.
absl::StatusOr<std::set<std::string>> Prepare(const Places& places, bool keeps_logs) {
  std::vector<std::string> alive;
  std::set<std::string> names;
  for (const ProgramProcess& process : Started(places)) {
    if (!IsAlive(process)) continue;
    alive.push_back(WithPid(process));
    names.insert(process.name);
  }
  if (!keeps_logs && fs::exists(places.log)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the cluster in '", places.directory, "' keeps logs: want --log, or, to begin ",
        "without what they have, remove '", places.log, "'"));
  }
  if (!alive.empty() && !keeps_logs) {
    return absl::FailedPreconditionError(
        absl::StrCat("a cluster in '", places.directory, "' is alive: ", absl::StrJoin(alive, ", "),
                     "; end it with: longtail down --dir ", places.directory));
  }
  std::error_code problem;
  for (const std::string& directory : {places.logs, places.run, places.ipc}) {
    fs::create_directories(directory, problem);
    if (problem) {
      return absl::UnavailableError(
          absl::StrCat("directory '", directory, "': ", problem.message()));
    }
  }
  for (const ProgramProcess& process : Started(places)) {
    if (!names.contains(process.name)) fs::remove(places.PidFile(process.name), problem);
  }
  if (alive.empty()) fs::remove(places.cluster, problem);
  if (!keeps_logs) {
    fs::remove(places.state + "/coordinator/state", problem);  // Its servers are gone.
  }
  return names;
}

// Where the coordinator is to listen: servers that live ask it where it was.
std::string ListenAddress(const Places& places) {
  std::ifstream file(places.cluster);
  std::string address;
  std::getline(file, address);
  file.close();
  std::error_code ignored;
  fs::remove(places.cluster, ignored);
  return address.empty() ? "tcp://127.0.0.1:0" : address;
}

// The processes that one call starts. What it does not keep, it ends.
class Starting {
 public:
  explicit Starting(const Places& places) : places_(places) {}
  ~Starting() {
    for (const ProgramProcess& process : processes_) Signal(process, SIGKILL);
    for (const ProgramProcess& process : processes_) {
      AwaitEnd(process, absl::Now() + kKillPatience);
      EndOfChild(process);
      std::error_code ignored;
      fs::remove(places_.PidFile(process.name), ignored);
    }
    if (std::ranges::find(processes_, kCoordinator, &ProgramProcess::name) != processes_.end()) {
      std::error_code ignored;
      fs::remove(places_.cluster, ignored);
    }
  }

  absl::Status Start(const std::string& name, const std::vector<std::string>& arguments) {
    LONGTAIL_ASSIGN_OR_RETURN(ProgramProcess process,
                              StartProgram(name, arguments, places_.Log(name)));
    processes_.push_back(process);
    return WritePidFile(places_.PidFile(name), process);
  }

  /// Errors: Unavailable, if one has ended: its last words.
  absl::Status CheckAlive() const {
    for (const ProgramProcess& process : processes_) {
      const std::string end = EndOfChild(process);
      if (end.empty()) continue;
      return absl::UnavailableError(absl::StrCat(
          process.name, " ended with ", end, ", saying: ", LastLine(places_.Log(process.name))));
    }
    return absl::OkStatus();
  }

  /// Whether all servers serve. The coordinator may still take one for the process it was.
  bool AllServe() const {
    return std::ranges::all_of(processes_, [&](const ProgramProcess& process) {
      return process.name == kCoordinator || LogHas(places_.Log(process.name), "server_serves");
    });
  }

  void Keep() { processes_.clear(); }

 private:
  const Places& places_;
  std::vector<ProgramProcess> processes_;
};

absl::Status AwaitAddress(const Places& places, const Starting& starting, absl::Time deadline) {
  while (!fs::exists(places.cluster)) {
    LONGTAIL_RETURN_IF_ERROR(starting.CheckAlive());
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the coordinator does not listen yet; it says: ", LastLine(places.Log("coordinator"))));
    }
    absl::SleepFor(kLookEvery);
  }
  return absl::OkStatus();
}

std::string Missing(const Places& places, const LocalClusterOptions& options,
                    const absl::StatusOr<ClusterStatus>& status) {
  if (!status.ok()) return std::string(status.status().message());
  std::vector<std::string> missing;
  for (std::uint32_t i = 0; i < options.servers; ++i) {
    const std::string name = absl::StrCat("server-", i);
    if (std::ranges::find(status->members, name, &Member::name) != status->members.end()) continue;
    missing.push_back(absl::StrCat(name, ", which says: ", LastLine(places.Log(name))));
  }
  return absl::StrCat("missing: ", absl::StrJoin(missing, "; "));
}

absl::StatusOr<ClusterStatus> AwaitCluster(const Places& places, const LocalClusterOptions& options,
                                           const Starting& starting, absl::Time deadline) {
  for (;;) {
    absl::StatusOr<ClusterStatus> status = ReadClusterStatus(places.cluster, absl::Seconds(1));
    if (status.ok() && status->is_well() && starting.AllServe()) return status;
    LONGTAIL_RETURN_IF_ERROR(starting.CheckAlive());
    if (absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("no cluster after ",
                                                      absl::FormatDuration(options.timeout), "; ",
                                                      Missing(places, options, status)));
    }
    absl::SleepFor(kLookEvery);
  }
}

std::string NextSteps(const Places& places, const std::string& store, const ClusterStatus& status) {
  std::string admin;
  std::getline(std::ifstream(places.admin) >> std::ws, admin);
  return absl::StrCat("cluster of ", CountedText(status.map->servers.size(), "server"), ", ",
                      CountedText(status.map->lanes.size(), "lane"), " and ",
                      CountedText(status.map->lane_of.size(), "partition"), " is up at ",
                      status.coordinator, "\n  join it      --cluster ", places.cluster,
                      " --store ", store, "\n  look at it   longtail status --cluster ",
                      places.cluster, "\n  its page     http://", admin,
                      "/\n  end it       longtail down --dir ", places.directory,
                      "\n  logs         ", places.logs, "\n");
}

}  // namespace

std::string LocalClusterFile(const std::string& directory) {
  return directory + "/cluster";
}

absl::StatusOr<std::string> StartLocalCluster(const LocalClusterOptions& options) {
  if (options.servers < 1) return absl::InvalidArgumentError("servers 0: want at least 1");
  if (!options.keep_log.empty()) {
    LONGTAIL_RETURN_IF_ERROR(ParseAge(options.keep_log).status());
    if (!options.keeps_logs) {
      return absl::InvalidArgumentError(
          absl::StrCat("keep log ", options.keep_log, ": there is no log: want --log, too"));
    }
  }
  const Places places(options.directory);
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<StoreLock> lock,
                            StoreLock::Acquire(places.directory, "up"));
  LONGTAIL_ASSIGN_OR_RETURN(const std::set<std::string> alive, Prepare(places, options.keeps_logs));
  const absl::Time deadline = absl::Now() + options.timeout;
  Starting starting(places);
  if (!alive.contains(kCoordinator)) {
    const std::string listen = ListenAddress(places);
    LONGTAIL_RETURN_IF_ERROR(starting.Start(kCoordinator, {"coordinator",
                                                           "--listen",
                                                           listen,
                                                           "--servers",
                                                           absl::StrCat(options.servers),
                                                           "--partitions",
                                                           absl::StrCat(options.partitions),
                                                           "--workers",
                                                           absl::StrCat(options.workers),
                                                           "--replicas",
                                                           absl::StrCat(options.replicas),
                                                           "--step-mode",
                                                           options.step_mode,
                                                           "--staleness",
                                                           absl::StrCat(options.staleness),
                                                           "--state",
                                                           places.state,
                                                           "--admin",
                                                           "127.0.0.1:0",
                                                           "--write-admin",
                                                           places.admin,
                                                           "--write-address",
                                                           places.cluster}));
  }
  LONGTAIL_RETURN_IF_ERROR(AwaitAddress(places, starting, deadline));
  const std::string store =
      options.store.empty() ? places.directory + "/store" : fs::absolute(options.store).string();
  for (std::uint32_t i = 0; i < options.servers; ++i) {
    const std::string name = absl::StrCat("server-", i);
    if (alive.contains(name)) continue;
    std::vector<std::string> arguments = {"serve",
                                          "--coordinator",
                                          places.cluster,
                                          "--name",
                                          name,
                                          "--lanes",
                                          absl::StrCat(options.lanes),
                                          "--replicas",
                                          absl::StrCat(options.replicas),
                                          "--store",
                                          store,
                                          "--admin",
                                          "127.0.0.1:0"};
    if (places.ipc.size() + kSocketNameMax <= kSocketPathMax) {
      arguments.insert(arguments.end(), {"--ipc", places.ipc});
    }
    if (options.keeps_logs) arguments.insert(arguments.end(), {"--log", places.log});
    if (!options.keep_log.empty()) {
      arguments.insert(arguments.end(), {"--keep-log", options.keep_log});
    }
    LONGTAIL_RETURN_IF_ERROR(starting.Start(name, arguments));
  }
  LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status,
                            AwaitCluster(places, options, starting, deadline));
  starting.Keep();
  return NextSteps(places, store, status);
}

absl::StatusOr<std::string> EndLocalCluster(const std::string& directory, absl::Duration patience) {
  const Places places(directory);
  const std::vector<ProgramProcess> processes = Started(places);
  if (processes.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no cluster was started in '", places.directory, "', or it was ended"));
  }
  std::vector<bool> was_alive;
  for (const ProgramProcess& process : processes) {
    was_alive.push_back(IsAlive(process));
    Signal(process, SIGTERM);
  }
  const absl::Time deadline = absl::Now() + patience;
  std::string text;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const ProgramProcess& process = processes[i];
    std::string fate = was_alive[i] ? "ended" : "was not running any more";
    if (!AwaitEnd(process, deadline)) {
      Signal(process, SIGKILL);
      fate = absl::StrCat("did not end within ", absl::FormatDuration(patience), ": killed");
      if (!AwaitEnd(process, absl::Now() + kKillPatience)) {
        return absl::UnavailableError(absl::StrCat(WithPid(process), " does not end"));
      }
    }
    absl::StrAppend(&text, "  ", WithPid(process), ": ", fate, "\n");
    std::error_code ignored;
    fs::remove(places.PidFile(process.name), ignored);
  }
  std::error_code ignored;
  fs::remove(places.cluster, ignored);
  return absl::StrCat("cluster in ", places.directory, ":\n", text);
}

}  // namespace longtail::cli
