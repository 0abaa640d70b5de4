// The command line of `longtail down`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `down` to a program.
class DownCommand {
 public:
  /// `app` must outlive the command.
  explicit DownCommand(CLI::App& app);
  ~DownCommand();

  bool parsed() const;

  /// Ends the cluster and says what it did.
  ///
  /// Errors: as EndLocalCluster.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
