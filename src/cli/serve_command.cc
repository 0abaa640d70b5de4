#include "cli/serve_command.h"

#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "cli/age_text.h"
#include "cli/end_signals.h"
#include "cli/noted_loss.h"
#include "cluster/coordinator_place.h"
#include "cluster/server_departure.h"
#include "cluster/server_process.h"
#include "io/servers_wanted.h"

namespace longtail::cli {

struct ServeCommand::Arguments {
  CLI::App* command = nullptr;
  ServerProcess::Options process;
  double join_timeout_seconds = 300;
  double behind_max_seconds = std::numeric_limits<double>::infinity();
  std::uint64_t base_after_mib = 1024;
  std::string keep_log = "0s";
  double leave_seconds = 0;
  std::string servers_wanted;
  bool takes_share = false;
};

namespace {

constexpr double kLeaveSecondsMax = 86400;
constexpr absl::Duration kWantedWithin = absl::Seconds(5);
constexpr absl::Duration kShareWithin = absl::Minutes(30);

// How a server that was told to end leaves: for good, if fewer are wanted than its number. Where
// that cannot be read it comes back: to drain one that does costs far more than not to drain one
// that does not, whose rows its followers and its log still have.
Departure DepartureOf(const std::string& server, const std::string& servers_wanted,
                      const Log& log) {
  if (servers_wanted.empty()) return Departure::kHandsOver;
  const absl::StatusOr<std::uint32_t> wanted = ReadServersWanted(servers_wanted, kWantedWithin);
  const absl::StatusOr<std::uint32_t> ordinal = OrdinalOf(server);
  if (wanted.ok() && ordinal.ok()) {
    log.Info("servers_wanted", {{"server", server}, {"wanted", *wanted}, {"number", *ordinal}});
    return *ordinal >= *wanted ? Departure::kDrains : Departure::kHandsOver;
  }
  log.Warning("servers_wanted_unknown",
              {{"server", server},
               {"reason", std::string((wanted.ok() ? ordinal : wanted).status().message())}});
  return Departure::kHandsOver;
}

// Where it asks the coordinator, beside its pulse: with the cluster's keys, if it has them.
std::string AskedAt(const ServerProcess::Options& options) {
  const absl::StatusOr<CoordinatorPlace> place = FindCoordinator(options.coordinator);
  if (options.keys.empty() || !place.ok()) return options.coordinator;
  return absl::StrCat(place->address, "?keys=", options.keys);
}

}  // namespace

ServeCommand::ServeCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand("serve", "Serve rows in a cluster, until SIGTERM or SIGINT");
  a.command
      ->add_option("--coordinator", a.process.coordinator,
                   "Its address, tcp://HOST:PORT, or a file that holds it")
      ->required();
  a.command->add_option("--name", a.process.name,
                        "The server's name, of its own in the cluster; without it MACHINE:PROCESS");
  a.command->add_option("--lanes", a.process.lanes, "Threads that own partitions")
      ->capture_default_str();
  a.command
      ->add_option("--replicas", a.process.replicas,
                   "Replicas of each lane, as the coordinator's: it has a place for each of its "
                   "lanes, and as many for those of others")
      ->capture_default_str();
  a.command
      ->add_option("--listen", a.process.listen,
                   "tcp://HOST:PORT of the first lane, the others have the ports that follow; "
                   "port 0: any free ones")
      ->capture_default_str();
  a.command->add_option("--advertise", a.process.advertise,
                        "The host that others connect to, if it is not the one of --listen");
  a.command->add_option("--ipc", a.process.ipc_directory,
                        "Directory for socket files, which workers on this machine prefer");
  a.command->add_option("--keys", a.process.keys,
                        "Directory of the cluster's keys (longtail keys): connections are "
                        "encrypted, and only who is on its list of clients is let in");
  a.command->add_flag("--plain", a.process.is_plain,
                      "Without keys: listen although other machines may reach it");
  a.command->add_option("--admin", a.process.admin,
                        "HOST:PORT of pages for probes, Prometheus and people: /livez, /readyz, "
                        "/metrics, /api/v1/status; who reaches them may read them, and no more");
  a.command->add_option("--store", a.process.store, "Where checkpoints go");
  a.command->add_option("--log", a.process.log_store,
                        "Where what it acknowledges is kept, so that it can come back after a "
                        "crash: a directory, or rados://POOL[/NAMESPACE]; without it its rows end "
                        "with it");
  a.command
      ->add_option("--base-after-mib", a.base_after_mib,
                   "Size of a lane's log behind which all its rows are written out and the log "
                   "begins anew")
      ->capture_default_str();
  a.command
      ->add_option("--keep-log", a.keep_log,
                   "With --log: for how long what a log no longer needs is kept, so that "
                   "`ckpt from-log` can make each moment of that time again: 24h, 7d")
      ->capture_default_str();
  a.command->add_flag("--reads", a.process.is_reader,
                      "Follow every lane of the cluster and answer readers, and do nothing else: "
                      "--lanes, --replicas and --log do not count then");
  a.command->add_option(
      "--behind-max", a.behind_max_seconds,
      "With --reads: seconds behind the leaders beyond which no pull is answered; "
      "without it there is no such bound");
  a.command->add_option("--join-timeout", a.join_timeout_seconds, "Seconds to wait for the cluster")
      ->capture_default_str();
  a.command
      ->add_option("--leave", a.leave_seconds,
                   "Seconds that it may take, once told to end, to have others lead its lanes, or "
                   "to drain; a second signal ends it at once. 0: it ends at once")
      ->check(CLI::Range(0.0, kLeaveSecondsMax))
      ->capture_default_str();
  a.command->add_option("--servers-wanted", a.servers_wanted,
                        "With --leave: where it is written how many servers there are to be, a "
                        "file or statefulset://NAME. A server whose name's number is not below "
                        "that drains; any other comes back");
  a.command->add_flag("--take-share", a.takes_share,
                      "Once it serves and has caught up, have servers share lanes evenly");
}

ServeCommand::~ServeCommand() = default;

bool ServeCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> ServeCommand::Run() const {
  const EndSignals signals;
  const Log log(LogToStderr());
  std::stop_source stop;
  ServerProcess::Options options = arguments_->process;
  options.join_timeout = absl::Seconds(arguments_->join_timeout_seconds);
  options.behind_max = absl::Seconds(arguments_->behind_max_seconds);
  options.base_after_bytes = arguments_->base_after_mib << 20;
  LONGTAIL_ASSIGN_OR_RETURN(options.keep_log, ParseAge(arguments_->keep_log));
  options.stop = stop.get_token();
  options.log = log;
  NotedLoss loss;
  options.on_log_lost = [&loss](const absl::Status& why) { loss.Note(why); };
  absl::StatusOr<std::unique_ptr<ServerProcess>> server = absl::UnknownError("not started");
  // Beside, so that a signal ends the wait for the cluster, too.
  std::thread starter([&] {
    server = ServerProcess::Start(options);
    if (server.ok()) {
      log.Info("server_serves", {{"server", (*server)->name()}, {"lanes", options.lanes}});
      if (arguments_->takes_share && !options.is_reader) AskForShare((*server)->name(), stop, log);
    } else {
      EndSignals::Raise();
    }
  });
  const int signal = signals.Wait();
  stop.request_stop();
  starter.join();
  if (server.ok() && loss.Noted().ok()) Leave(**server, signals, log);
  if (!server.ok() && !absl::IsCancelled(server.status())) return server.status();
  log.Info("server_ends", {{"signal", signal}});
  // Not the end that was asked for.
  LONGTAIL_RETURN_IF_ERROR(loss.Noted());
  return CommandOutcome{};
}

void ServeCommand::AskForShare(const std::string& server, const std::stop_source& stop,
                               const Log& log) const {
  const absl::Status asked = TakeShare(AskedAt(arguments_->process), server, kShareWithin,
                                       [&] { return stop.stop_requested(); });
  if (asked.ok()) {
    log.Info("share_asked_for", {{"server", server}});
  } else if (!absl::IsCancelled(asked)) {
    log.Warning("share_not_asked_for",
                {{"server", server}, {"reason", std::string(asked.message())}});
  }
}

void ServeCommand::Leave(ServerProcess& process, const EndSignals& signals, const Log& log) const {
  const std::string& server = process.name();
  if (arguments_->leave_seconds <= 0 || arguments_->process.is_reader) return;
  const absl::Time begin = absl::Now();
  std::stop_source cut_short;
  // Beside, so that a second signal ends it.
  std::thread leaving([&] {
    const Departure departure = DepartureOf(server, arguments_->servers_wanted, log);
    const char* const word = departure == Departure::kDrains ? "drains" : "hands_over";
    log.Info("server_leaves", {{"server", server}, {"how", word}});
    const absl::Status left =
        LeaveCluster(AskedAt(arguments_->process), server, departure,
                     begin + absl::Seconds(arguments_->leave_seconds) - absl::Now(),
                     [&] { return cut_short.stop_requested(); });
    if (departure == Departure::kHandsOver) {
      process.StopPulse();
      const absl::Status said = SayAway(AskedAt(arguments_->process), server);
      if (!said.ok()) {
        log.Warning("server_is_away_unsaid",
                    {{"server", server}, {"reason", std::string(said.message())}});
      }
    }
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    if (left.ok()) {
      log.Info("server_has_left", {{"server", server}, {"how", word}, {"seconds", seconds}});
    } else {
      log.Warning("server_has_not_left", {{"server", server},
                                          {"how", word},
                                          {"seconds", seconds},
                                          {"reason", std::string(left.message())}});
    }
    EndSignals::Raise();
  });
  signals.Wait();
  cut_short.request_stop();
  leaving.join();
}

}  // namespace longtail::cli
