// The command line of `longtail ckpt`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `ckpt` and its subcommands to a program. After the program has parsed its arguments, Run
/// does what they ask for.
class CkptCommand {
 public:
  /// `app` must outlive the command.
  explicit CkptCommand(CLI::App& app);
  ~CkptCommand();

  bool parsed() const;

  /// Gives what the program is to print; `now` is what ages of checkpoints are counted to.
  ///
  /// Errors: InvalidArgument (an age that is none, or nothing said of what is to stay); as the
  ///         functions of ckpt.h.
  absl::StatusOr<CommandOutcome> Run(absl::Time now) const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
