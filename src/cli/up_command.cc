#include "cli/up_command.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/action_answer.h"
#include "cli/local_cluster.h"
#include "protocol/step_mode_names.h"

namespace longtail::cli {

struct UpCommand::Arguments {
  CLI::App* command = nullptr;
  LocalClusterOptions cluster{.step_mode = StepModeName(StepMode::kAsynchronous)};
  double timeout_seconds = 60;
  bool wants_json = false;
};

UpCommand::UpCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  LocalClusterOptions& c = a.cluster;
  a.command = app.add_subcommand(
      "up", "Start a cluster on this machine, in the background: a coordinator and servers");
  a.command->add_option("servers", c.servers, "How many servers")->required();
  a.command->add_option("--dir", c.directory, "Directory of the cluster")->capture_default_str();
  a.command->add_option("--lanes", c.lanes, "Threads of each server that own partitions")
      ->capture_default_str();
  a.command->add_option("--partitions", c.partitions, "Partitions: a power of two")
      ->capture_default_str();
  a.command
      ->add_option("--workers", c.workers,
                   "Workers that a step waits for; asynchronous: the most at once")
      ->capture_default_str();
  a.command
      ->add_option("--replicas", c.replicas,
                   "Replicas of each lane, on as many servers: one can be lost and nothing with it")
      ->capture_default_str();
  a.command->add_option("--step-mode", c.step_mode, "When pushes take effect")
      ->check(CLI::IsMember(std::vector<std::string>(kStepModeNames.begin(), kStepModeNames.end())))
      ->capture_default_str();
  a.command
      ->add_option("--staleness", c.staleness,
                   "Bounded mode: steps that a worker may be ahead of the slowest one")
      ->capture_default_str();
  a.command->add_option("--store", c.store, "Where checkpoints go; without it DIR/store");
  a.command->add_flag("--log", c.keeps_logs,
                      "Servers keep logs in DIR/log; up again starts what does not run, with all "
                      "that was acknowledged");
  a.command->add_option("--keep-log", c.keep_log,
                        "With --log: as of serve, for how long old logs are kept: 24h, 7d");
  a.command->add_option("--timeout", a.timeout_seconds, "Seconds to wait for the cluster")
      ->capture_default_str();
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

UpCommand::~UpCommand() = default;

bool UpCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> UpCommand::Run() const {
  LocalClusterOptions options = arguments_->cluster;
  options.timeout = absl::Seconds(arguments_->timeout_seconds);
  const absl::Time begin = absl::Now();
  LONGTAIL_ASSIGN_OR_RETURN(std::string output, StartLocalCluster(options));
  if (arguments_->wants_json) {
    output = ActionJson({.done = "up",
                         .took = absl::Now() - begin,
                         .texts = {{"directory", options.directory},
                                   {"cluster", LocalClusterFile(options.directory)},
                                   {"said", output}},
                         .numbers = {{"servers", options.servers}}});
  }
  return CommandOutcome{.output = std::move(output)};
}

}  // namespace longtail::cli
