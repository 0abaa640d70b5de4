#include "cli/rollback_command.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/action_answer.h"
#include "cli/local_cluster.h"
#include "cli/number_text.h"
#include "cli/safe_text.h"
#include "longtail/cluster.h"

namespace longtail::cli {

struct RollbackCommand::Arguments {
  std::string checkpoint;
  std::string store;
  std::string cluster = LocalClusterFile(kLocalClusterDirectory);
  double timeout_seconds = 600;
  bool wants_json = false;
};

RollbackCommand::RollbackCommand(CLI::App& app)
    : command_(app.add_subcommand("rollback", "Have a running cluster go back to a checkpoint")),
      arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  command_->add_option("checkpoint", a.checkpoint, "Its name (longtail ckpt ls)")->required();
  command_->add_option("--store", a.store, "Where it is: the store that servers have, too")
      ->required();
  command_
      ->add_option("--cluster", a.cluster,
                   "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
      ->capture_default_str();
  command_
      ->add_option("--timeout", a.timeout_seconds,
                   "Seconds to wait until all lanes have its rows; they go on behind them")
      ->capture_default_str();
  command_->add_flag("--json", a.wants_json, "One JSON object");
}

RollbackCommand::~RollbackCommand() = default;

bool RollbackCommand::parsed() const {
  return command_->parsed();
}

absl::StatusOr<CommandOutcome> RollbackCommand::Run() const {
  const Arguments& a = *arguments_;
  const absl::Time begin = absl::Now();
  RemoteOptions options{.coordinator = a.cluster, .store = a.store};
  options.checkpoint_timeout = absl::ToChronoMilliseconds(absl::Seconds(a.timeout_seconds));
  LONGTAIL_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Remote(options));
  LONGTAIL_RETURN_IF_ERROR(cluster->RollBack(a.checkpoint));
  const std::uint64_t step = cluster->last_rollback()->step;
  if (a.wants_json) {
    return CommandOutcome{.output = ActionJson({.done = "rollback",
                                                .took = absl::Now() - begin,
                                                .texts = {{"checkpoint", a.checkpoint}},
                                                .numbers = {{"step", step}}})};
  }
  return CommandOutcome{
      .output = absl::StrCat(
          "the cluster has the rows of ", SafeText(a.checkpoint), ", step ", GroupedText(step),
          ", after ",
          absl::FormatDuration(absl::Trunc(absl::Now() - begin, absl::Milliseconds(10))),
          "; its workers are to connect anew\n")};
}

}  // namespace longtail::cli
