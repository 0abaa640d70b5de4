// The command line of `longtail doctor`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `doctor` to a program.
class DoctorCommand {
 public:
  /// `app` must outlive the command.
  explicit DoctorCommand(CLI::App& app);
  ~DoctorCommand();

  bool parsed() const;

  /// Gives the findings. Code 1: a check failed.
  ///
  /// Errors: as WriteBundle.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
