// The command line of `longtail serve`.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "base/log.h"
#include "cli/command_outcome.h"
#include "cli/end_signals.h"
#include "cluster/server_process.h"

namespace longtail::cli {

/// Adds `serve` to a program.
class ServeCommand {
 public:
  /// `app` must outlive the command.
  explicit ServeCommand(CLI::App& app);
  ~ServeCommand();

  bool parsed() const;

  /// Serves until SIGTERM or SIGINT, which also end the wait for the cluster; with --leave it
  /// leaves then, which a second signal ends.
  ///
  /// Errors: as ServerProcess::Start.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  void AskForShare(const std::string& coordinator, const std::string& server,
                   const std::stop_source& stop, const Log& log) const;
  void Leave(const std::string& coordinator, ServerProcess& process, const EndSignals& signals,
             const Log& log) const;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
