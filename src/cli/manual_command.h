// The command lines of `longtail manual` and `longtail completion`: what is written of all others.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"
#include "cli/command_tree.h"

namespace longtail::cli {

/// Adds `manual` and `completion` to a program.
class ManualCommand {
 public:
  /// `app` must outlive the command.
  explicit ManualCommand(CLI::App& app);
  ~ManualCommand();

  bool parsed() const;

  /// Gives the man page, or a shell's script, of all that the program has by now.
  absl::StatusOr<CommandOutcome> Run() const;

  /// Commands and options as they were defined.
  static CommandPage PageOf(const CLI::App& app);

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
