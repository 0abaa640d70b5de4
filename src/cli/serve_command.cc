#include "cli/serve_command.h"

#include <limits>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "base/log.h"
#include "base/status_macros.h"
#include "cli/age_text.h"
#include "cli/end_signals.h"
#include "cli/noted_loss.h"
#include "cluster/server_process.h"

namespace longtail::cli {

struct ServeCommand::Arguments {
  CLI::App* command = nullptr;
  ServerProcess::Options process;
  double join_timeout_seconds = 300;
  double behind_max_seconds = std::numeric_limits<double>::infinity();
  std::uint64_t base_after_mib = 1024;
  std::string keep_log = "0s";
};

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
    } else {
      EndSignals::Raise();
    }
  });
  const int signal = signals.Wait();
  stop.request_stop();
  starter.join();
  if (!server.ok() && !absl::IsCancelled(server.status())) return server.status();
  log.Info("server_ends", {{"signal", signal}});
  // Not the end that was asked for.
  LONGTAIL_RETURN_IF_ERROR(loss.Noted());
  return CommandOutcome{};
}

}  // namespace longtail::cli
