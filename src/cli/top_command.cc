#include "cli/top_command.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/end_signals.h"
#include "cli/exit_codes.h"
#include "cli/local_cluster.h"
#include "cli/top_answer.h"
#include "cli/top_screen.h"
#include "cluster/cluster_status.h"
#include "cluster/status_json.h"

namespace longtail::cli {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(2);
// A key that was pressed is looked at that often.
constexpr absl::Duration kLookEvery = absl::Milliseconds(50);

}  // namespace

struct TopCommand::Arguments {
  CLI::App* command = nullptr;
  std::string cluster = LocalClusterFile(kLocalClusterDirectory);
  double interval_seconds = 1;
  std::uint64_t count = 0;
  bool is_once = false;
  bool wants_json = false;
};

TopCommand::TopCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand(
      "top", "Show a cluster as it works, again each second: servers, lanes, rates; q ends it");
  a.command
      ->add_option("--cluster", a.cluster,
                   "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
      ->capture_default_str();
  a.command->add_option("--interval", a.interval_seconds, "Seconds from one look to the next")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  a.command->add_option("--count", a.count, "Looks, then it ends; 0: until it is told to end")
      ->capture_default_str();
  a.command->add_flag("--once", a.is_once, "One look");
  a.command->add_flag("--json", a.wants_json,
                      "One JSON object a look, as that of `status`, each on a line");
}

TopCommand::~TopCommand() = default;

bool TopCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> TopCommand::Run() const {
  const Arguments& a = *arguments_;
  const std::uint64_t count = a.is_once ? 1 : a.count;
  const absl::Duration interval = absl::Seconds(a.interval_seconds);
  const EndSignals signals;
  if (count == 1) {
    LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status, ReadClusterStatus(a.cluster, kTimeout));
    const TopView all{.lines = SIZE_MAX, .columns = SIZE_MAX};
    return CommandOutcome{
        .output = a.wants_json ? StatusJson(status) : TopText(status, absl::Now(), all),
        .code = status.is_well() ? kDone : kNotWell};
  }
  CommandOutcome outcome;
  const std::unique_ptr<TopScreen> screen = a.wants_json ? nullptr : std::make_unique<TopScreen>();
  for (std::uint64_t look = 0; count == 0 || look < count; ++look) {
    const absl::Time next = absl::Now() + interval;
    const absl::StatusOr<ClusterStatus> status = ReadClusterStatus(a.cluster, kTimeout);
    if (!status.ok() && (screen == nullptr || !screen->is_terminal())) return status.status();
    outcome.code = status.ok() && status->is_well() ? kDone : kNotWell;
    absl::Status written;
    if (screen == nullptr) {
      written = WriteOut(StatusJson(*status));
    } else if (status.ok()) {
      written = screen->Draw(TopText(*status, absl::Now(), screen->view()));
    } else {
      written = screen->Draw(
          TopProblem(std::string(status.status().message()), absl::Now(), screen->view()));
    }
    if (absl::IsCancelled(written)) return outcome;  // As of `top | head`.
    LONGTAIL_RETURN_IF_ERROR(written);
    if (count != 0 && look + 1 == count) break;
    do {
      const absl::Duration left = next - absl::Now();
      const absl::Duration wait = std::clamp(left, absl::ZeroDuration(), kLookEvery);
      if (signals.WaitFor(wait) || (screen != nullptr && screen->WantsToEnd())) return outcome;
    } while (absl::Now() < next);
  }
  return outcome;
}

}  // namespace longtail::cli
