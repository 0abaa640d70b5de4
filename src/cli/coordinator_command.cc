#include "cli/coordinator_command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "cli/end_signals.h"
#include "cli/noted_loss.h"
#include "cluster/coordinator_process.h"
#include "protocol/step_mode_names.h"

namespace longtail::cli {
namespace {

// A worker says some times a second that it lives; a busy machine is to cost nobody its place.
constexpr double kLeaseSecondsMin = 5;
constexpr double kServerLeaseSecondsMin = 1;
constexpr double kLeaseSecondsMax = 86400;

// Whole or not at all: others wait for the file and read it at once.
absl::Status WriteAddress(const std::string& path, const std::string& address) {
  const std::string unfinished = path + "~";
  std::ofstream file(unfinished, std::ios::trunc);
  file << address << "\n";
  file.close();
  if (file && std::rename(unfinished.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("address file '", path, "': cannot be written: ", std::strerror(errno)));
}

}  // namespace

struct CoordinatorCommand::Arguments {
  CLI::App* command = nullptr;
  CoordinatorProcess::Options process;
  std::string step_mode = StepModeName(StepMode::kAsynchronous);
  double lease_seconds = 10;
  double server_lease_seconds = 2;
  std::string address_file;
  std::string admin_file;
};

CoordinatorCommand::CoordinatorCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand("coordinator", "Coordinate a cluster, until SIGTERM or SIGINT");
  a.command->add_option("--listen", a.process.listen, "tcp://HOST:PORT; port 0: any free one")
      ->capture_default_str();
  a.command->add_option("--keys", a.process.keys,
                        "Directory of the cluster's keys (longtail keys): connections are "
                        "encrypted, and only who is on its list of clients is let in");
  a.command->add_flag("--plain", a.process.is_plain,
                      "Without keys: listen although other machines may reach it");
  a.command->add_option("--admin", a.process.admin,
                        "HOST:PORT of pages for probes, Prometheus and people: /livez, /readyz, "
                        "/metrics, /api/v1/status; who reaches them may read them, and no more");
  a.command->add_option("--servers", a.process.cluster.servers, "Servers that form the cluster")
      ->capture_default_str();
  a.command->add_option("--partitions", a.process.cluster.partitions, "Partitions: a power of two")
      ->capture_default_str();
  a.command
      ->add_option("--workers", a.process.cluster.workers,
                   "Workers that a step waits for; asynchronous: the most at once")
      ->capture_default_str();
  a.command->add_option("--step-mode", a.step_mode, "When pushes take effect")
      ->check(CLI::IsMember(std::vector<std::string>(kStepModeNames.begin(), kStepModeNames.end())))
      ->capture_default_str();
  a.command
      ->add_option("--staleness", a.process.cluster.staleness,
                   "Bounded mode: steps that a worker may be ahead of the slowest one")
      ->capture_default_str();
  a.command
      ->add_option("--lease", a.lease_seconds,
                   "Seconds: a worker that is silent for so long has left")
      ->check(CLI::Range(kLeaseSecondsMin, kLeaseSecondsMax))
      ->capture_default_str();
  a.command
      ->add_option("--replicas", a.process.cluster.replicas,
                   "Replicas of each lane, on as many servers: one can be lost and nothing with it")
      ->capture_default_str();
  a.command
      ->add_option("--server-lease", a.server_lease_seconds,
                   "Seconds: with replicas, a server that is silent for so long leads no more")
      ->check(CLI::Range(kServerLeaseSecondsMin, kLeaseSecondsMax))
      ->capture_default_str();
  a.command->add_option("--state", a.process.state,
                        "Where it keeps what it must not forget, and finds it again: a directory, "
                        "rados://POOL[/NAMESPACE] or etcd://HOST:PORT[,HOST:PORT...]/PREFIX; "
                        "without it the cluster ends with the coordinator");
  a.command->add_option("--write-admin", a.admin_file, "File to write the address of --admin into");
  a.command->add_option("--write-address", a.address_file,
                        "File to write the coordinator's address into: for --cluster");
}

CoordinatorCommand::~CoordinatorCommand() = default;

bool CoordinatorCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> CoordinatorCommand::Run() const {
  const EndSignals signals;
  const Log log(LogToStderr());
  CoordinatorProcess::Options options = arguments_->process;
  options.cluster.step_mode = StepModeOf(arguments_->step_mode);
  options.cluster.lease = absl::Seconds(arguments_->lease_seconds);
  options.cluster.server_lease = absl::Seconds(arguments_->server_lease_seconds);
  options.log = log;
  NotedLoss loss;
  options.on_state_lost = [&loss](const absl::Status& why) { loss.Note(why); };
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorProcess> coordinator,
                            CoordinatorProcess::Start(options));
  log.Info("coordinator_listens", {{"address", coordinator->address()},
                                   {"servers", options.cluster.servers},
                                   {"partitions", options.cluster.partitions},
                                   {"workers", options.cluster.workers},
                                   {"step_mode", arguments_->step_mode},
                                   {"state", options.state}});
  if (!arguments_->admin_file.empty()) {
    LONGTAIL_RETURN_IF_ERROR(WriteAddress(arguments_->admin_file, coordinator->admin_address()));
  }
  if (!arguments_->address_file.empty()) {
    LONGTAIL_RETURN_IF_ERROR(WriteAddress(arguments_->address_file, coordinator->address()));
  }
  log.Info("coordinator_ends", {{"signal", signals.Wait()}});
  // Not the end that was asked for: who started it may start it again.
  LONGTAIL_RETURN_IF_ERROR(loss.Noted());
  return CommandOutcome{};
}

}  // namespace longtail::cli
