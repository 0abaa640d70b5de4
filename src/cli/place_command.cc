#include "cli/place_command.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "cli/action_answer.h"
#include "cli/local_cluster.h"
#include "cli/number_text.h"
#include "cluster/cluster_status.h"

namespace longtail::cli {
namespace {

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kAnswerWithin = absl::Seconds(10);

}  // namespace

struct PlaceCommand::Arguments {
  CLI::App* move = nullptr;
  CLI::App* drain = nullptr;
  CLI::App* rebalance = nullptr;
  std::string cluster = LocalClusterFile(kLocalClusterDirectory);
  std::uint32_t lane = 0;
  std::string server;
  double timeout_seconds = 600;
  bool cancels = false;
  bool wants_json = false;
};

PlaceCommand::PlaceCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  const auto add = [&](const char* name, const char* words) {
    CLI::App* const command = app.add_subcommand(name, words);
    command
        ->add_option("--cluster", a.cluster,
                     "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
        ->capture_default_str();
    command
        ->add_option("--timeout", a.timeout_seconds,
                     "Seconds to wait until it is done; it goes on behind them")
        ->capture_default_str();
    command->add_flag("--json", a.wants_json, "One JSON object");
    return command;
  };
  a.move = add("move", "Have another server lead a lane, while training goes on");
  a.move->add_option("lane", a.lane, "The lane's number, from 1 on")->required();
  a.move->add_option("server", a.server, "The server's name")->required();
  a.drain = add("drain", "Move all that a server has to the others: then it may be stopped");
  a.drain->add_option("server", a.server, "The server's name")->required();
  a.rebalance = add("rebalance", "Have servers, new ones too, share lanes evenly");
  a.rebalance->add_flag("--cancel", a.cancels, "Take back moves that have not begun, instead");
}

PlaceCommand::~PlaceCommand() = default;

bool PlaceCommand::parsed() const {
  return arguments_->move->parsed() || arguments_->drain->parsed() ||
         arguments_->rebalance->parsed();
}

absl::StatusOr<CommandOutcome> PlaceCommand::Run() const {
  const Arguments& a = *arguments_;
  PlaceLanes place;
  place.placing = a.move->parsed()    ? Placing::kMove
                  : a.drain->parsed() ? Placing::kDrain
                  : a.cancels         ? Placing::kCancel
                                      : Placing::kRebalance;
  place.lane = NodeId{a.lane};
  place.server = a.server;
  const absl::Time begin = absl::Now();
  LONGTAIL_RETURN_IF_ERROR(AskToPlace(a.cluster, place, kAnswerWithin));
  for (;;) {
    LONGTAIL_ASSIGN_OR_RETURN(const ClusterStatus status,
                              ReadClusterStatus(a.cluster, kAnswerWithin));
    const absl::Duration taken = absl::Now() - begin;
    if (status.moves_left == 0 && a.wants_json) {
      Action action{.done = place.placing == Placing::kMove    ? "move"
                            : place.placing == Placing::kDrain ? "drain"
                                                               : "rebalance",
                    .took = taken};
      if (!a.server.empty()) action.texts["server"] = a.server;
      if (place.placing == Placing::kMove) action.numbers["lane"] = a.lane;
      return CommandOutcome{.output = ActionJson(action)};
    }
    if (status.moves_left == 0) {
      return CommandOutcome{
          .output = absl::StrCat(
              "done after ", absl::FormatDuration(absl::Trunc(taken, absl::Milliseconds(10))),
              a.drain->parsed() ? absl::StrCat(": server '", a.server, "' has nothing left\n")
                                : "\n")};
    }
    if (taken > absl::Seconds(a.timeout_seconds)) {
      return absl::DeadlineExceededError(absl::StrCat(CountedText(status.moves_left, "move"),
                                                      " left after ", absl::FormatDuration(taken),
                                                      "; they go on: see longtail status"));
    }
    absl::SleepFor(kLookEvery);
  }
}

}  // namespace longtail::cli
