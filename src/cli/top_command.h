// The command line of `longtail top`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `top` to a program.
class TopCommand {
 public:
  /// `app` must outlive the command.
  explicit TopCommand(CLI::App& app);
  ~TopCommand();

  bool parsed() const;

  /// Shows the cluster again and again, until SIGTERM, SIGINT or q, or as often as it was told.
  /// Code 3: a member is missing or late at the end.
  ///
  /// Errors: as ReadClusterStatus, but on a terminal, where it goes on asking; the output's.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
