// The command line of `longtail plan`.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

/// Adds `plan` to a program.
class PlanCommand {
 public:
  /// `app` must outlive the command.
  explicit PlanCommand(CLI::App& app);
  ~PlanCommand();

  bool parsed() const;

  /// Gives what the tables will take.
  ///
  /// Errors: as ParsePlannedTable, TakeTrainingConfig, TakeTableSpec and MakePlan.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
