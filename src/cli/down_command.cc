#include "cli/down_command.h"

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/action_answer.h"
#include "cli/local_cluster.h"

namespace longtail::cli {

struct DownCommand::Arguments {
  CLI::App* command = nullptr;
  std::string directory = kLocalClusterDirectory;
  double patience_seconds = 10;
  bool wants_json = false;
};

DownCommand::DownCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand("down", "End the cluster that `up` started");
  a.command->add_option("--dir", a.directory, "Directory of the cluster")->capture_default_str();
  a.command
      ->add_option("--timeout", a.patience_seconds,
                   "Seconds that processes have to end before they are killed")
      ->capture_default_str();
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

DownCommand::~DownCommand() = default;

bool DownCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> DownCommand::Run() const {
  const absl::Time begin = absl::Now();
  LONGTAIL_ASSIGN_OR_RETURN(
      std::string output,
      EndLocalCluster(arguments_->directory, absl::Seconds(arguments_->patience_seconds)));
  if (arguments_->wants_json) {
    output = ActionJson({.done = "down",
                         .took = absl::Now() - begin,
                         .texts = {{"directory", arguments_->directory}, {"said", output}}});
  }
  return CommandOutcome{.output = std::move(output)};
}

}  // namespace longtail::cli
