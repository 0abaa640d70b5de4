// `longtail keys`: the keys of a cluster and of those who may use it.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds its subcommands to a program when made; runs after parsing. The app must outlive it.
class KeysCommand {
 public:
  explicit KeysCommand(CLI::App& app);
  ~KeysCommand();

  bool parsed() const;

  /// Errors: as the functions of cli/key_files.h and cli/key_check.h.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  absl::StatusOr<CommandOutcome> Rotate() const;

  struct Arguments;
  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
