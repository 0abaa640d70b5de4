// The command line of `longtail bench`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `bench` to a program.
class BenchCommand {
 public:
  /// `app` must outlive the command.
  explicit BenchCommand(CLI::App& app);
  ~BenchCommand();

  bool parsed() const;

  /// Pushes and pulls for a while, and gives how fast that was.
  ///
  /// Errors: as RunBench.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
