// `longtail move`, `drain` and `rebalance`: where lanes are, while training goes on.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds its subcommands to a program when made; runs after parsing. The app must outlive it.
class PlaceCommand {
 public:
  explicit PlaceCommand(CLI::App& app);
  ~PlaceCommand();

  bool parsed() const;

  /// Has the coordinator write down what is wanted, and waits until it is so.
  ///
  /// Errors: what the coordinator refuses with; DeadlineExceeded naming how many moves are left,
  ///         which go on.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;
  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
