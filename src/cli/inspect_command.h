// The command line of `longtail inspect`.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "cli/bar_text.h"

namespace longtail::cli {

/// Adds `inspect` and its subcommands to a program. After the program has parsed its arguments,
/// Run does what they ask for.
class InspectCommand {
 public:
  /// `app` must outlive the command.
  explicit InspectCommand(CLI::App& app);
  ~InspectCommand();

  bool parsed() const;

  /// Gives what the program is to print.
  ///
  /// Errors: InvalidArgument (a key that is none); as the functions of inspect.h.
  absl::StatusOr<std::string> Run(BarStyle bars) const;

 private:
  struct Arguments;

  std::unique_ptr<Arguments> arguments_;
};

}  // namespace longtail::cli
