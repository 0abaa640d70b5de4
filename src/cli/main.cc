// longtail: looks after what a Longtail cluster leaves behind.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "cli/inspect_command.h"
#include "cli/safe_text.h"

namespace longtail::cli {
namespace {

int Fail(std::string_view message) {
  std::cerr << "longtail: " << SafeText(message) << "\n";
  return 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Looks into what a Longtail cluster has saved.");
  app.set_version_flag("--version", LONGTAIL_VERSION);
  app.require_subcommand(1);
  const InspectCommand inspect(app);
  CLI11_PARSE(app, argc, argv);

  const BarStyle bars = isatty(STDOUT_FILENO) != 0 ? BarStyle::kBlocks : BarStyle::kAscii;
  const absl::StatusOr<std::string> output = inspect.Run(bars);
  if (!output.ok()) {
    const auto message = output.status().message();
    return Fail({message.data(), message.size()});
  }
  std::cout << *output << std::flush;
  return std::cout ? 0 : Fail("standard output: cannot be written");
}

}  // namespace
}  // namespace longtail::cli

int main(int argc, char** argv) {
  // We throw nothing; a library may, if memory is out.
  try {
    return longtail::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "longtail: %s\n", error.what());
    return 1;
  }
}
