#include "cli/status_command.h"

#include <string>

#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/exit_codes.h"
#include "cli/local_cluster.h"
#include "cli/status_answer.h"
#include "cluster/cluster_status.h"

namespace longtail::cli {
namespace {

// With the look at why nobody answers an error comes within five seconds.
constexpr absl::Duration kTimeout = absl::Seconds(3);

}  // namespace

struct StatusCommand::Arguments {
  CLI::App* command = nullptr;
  std::string cluster = LocalClusterFile(kLocalClusterDirectory);
  bool wants_json = false;
};

StatusCommand::StatusCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand(
      "status", "Show a cluster: exit status 0 if it is well, 3 if a member is missing or late");
  a.command
      ->add_option("--cluster", a.cluster,
                   "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
      ->capture_default_str();
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

StatusCommand::~StatusCommand() = default;

bool StatusCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> StatusCommand::Run() const {
  LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status,
                            ReadClusterStatus(arguments_->cluster, kTimeout));
  return CommandOutcome{.output = arguments_->wants_json ? StatusJson(status) : StatusText(status),
                        .code = status.is_well() ? kDone : kNotWell};
}

}  // namespace longtail::cli
