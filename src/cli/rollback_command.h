// longtail rollback: a running cluster goes back to a checkpoint.
#pragma once

#include <memory>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/command_outcome.h"

namespace longtail::cli {

class RollbackCommand {
 public:
  /// Adds the command to `app`, which must outlive it.
  explicit RollbackCommand(CLI::App& app);
  ~RollbackCommand();

  bool parsed() const;

  /// Returns once every lane's leader has the checkpoint's rows.
  ///
  /// Errors: as Cluster::RollBack.
  absl::StatusOr<CommandOutcome> Run() const;

 private:
  struct Arguments;

  CLI::App* const command_;
  const std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
