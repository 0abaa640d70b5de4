// The command line of `longtail serve`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `serve` to a program.
class ServeCommand {
 public:
  /// `app` must outlive the command.
  explicit ServeCommand(CLI::App& app);
  ~ServeCommand();

  bool parsed() const;

  /// Serves until SIGTERM or SIGINT, which also end the wait for the cluster.
  ///
  /// Errors: as ServerProcess::Start.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
