// The command line of `longtail up`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `up` to a program.
class UpCommand {
 public:
  /// `app` must outlive the command.
  explicit UpCommand(CLI::App& app);
  ~UpCommand();

  bool parsed() const;

  /// Starts the cluster and says how to use it.
  ///
  /// Errors: as StartLocalCluster.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
