// The command line of `longtail coordinator`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `coordinator` to a program.
class CoordinatorCommand {
 public:
  /// `app` must outlive the command.
  explicit CoordinatorCommand(CLI::App& app);
  ~CoordinatorCommand();

  bool parsed() const;

  /// Coordinates a cluster until SIGTERM or SIGINT.
  ///
  /// Errors: as CoordinatorProcess::Start; Unavailable (the address cannot be written).
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
