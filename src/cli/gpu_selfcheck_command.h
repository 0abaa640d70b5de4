// The command line of `longtail gpu-selfcheck`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `gpu-selfcheck` to a program.
class GpuSelfcheckCommand {
 public:
  /// `app` must outlive the command.
  explicit GpuSelfcheckCommand(CLI::App& app);
  ~GpuSelfcheckCommand();

  bool parsed() const;

  /// Checks a device; kNotWell if it does not compute what the CPU does.
  ///
  /// Errors: as RunGpuSelfcheck, with what device was asked for.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
