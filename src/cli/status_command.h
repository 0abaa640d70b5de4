// The command line of `longtail status`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `status` to a program.
class StatusCommand {
 public:
  /// `app` must outlive the command.
  explicit StatusCommand(CLI::App& app);
  ~StatusCommand();

  bool parsed() const;

  /// Gives what the cluster is. Code 3: a member is missing or late.
  ///
  /// Errors: as ReadClusterStatus.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
