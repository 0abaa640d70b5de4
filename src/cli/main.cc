// longtail: the processes of a cluster, and a look at what one is and what it leaves behind.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "base/version.h"
#include "cli/bench_command.h"
#include "cli/ckpt_command.h"
#include "cli/command_outcome.h"
#include "cli/coordinator_command.h"
#include "cli/doctor_command.h"
#include "cli/down_command.h"
#include "cli/exit_codes.h"
#include "cli/gpu_selfcheck_command.h"
#include "cli/inspect_command.h"
#include "cli/keys_command.h"
#include "cli/manual_command.h"
#include "cli/place_command.h"
#include "cli/plan_command.h"
#include "cli/rollback_command.h"
#include "cli/safe_text.h"
#include "cli/serve_command.h"
#include "cli/status_command.h"
#include "cli/top_command.h"
#include "cli/up_command.h"

namespace longtail::cli {
namespace {

int Fail(std::string_view message) {
  std::cerr << "longtail: " << SafeText(message) << "\n";
  return kFailed;
}

// The commands, of which one was parsed.
struct Commands {
  explicit Commands(CLI::App& app)
      : coordinator(app),
        serve(app),
        up(app),
        status(app),
        down(app),
        place(app),
        rollback(app),
        inspect(app),
        ckpt(app),
        keys(app),
        doctor(app),
        plan(app),
        top(app),
        bench(app),
        gpu_selfcheck(app),
        manual(app) {}

  absl::StatusOr<CommandOutcome> Run() const {
    if (coordinator.parsed()) return coordinator.Run();
    if (serve.parsed()) return serve.Run();
    if (up.parsed()) return up.Run();
    if (status.parsed()) return status.Run();
    if (down.parsed()) return down.Run();
    if (place.parsed()) return place.Run();
    if (rollback.parsed()) return rollback.Run();
    if (keys.parsed()) return keys.Run();
    if (ckpt.parsed()) return ckpt.Run(absl::Now());
    if (doctor.parsed()) return doctor.Run();
    if (plan.parsed()) return plan.Run();
    if (top.parsed()) return top.Run();
    if (bench.parsed()) return bench.Run();
    if (gpu_selfcheck.parsed()) return gpu_selfcheck.Run();
    if (manual.parsed()) return manual.Run();
    const BarStyle bars = isatty(STDOUT_FILENO) != 0 ? BarStyle::kBlocks : BarStyle::kAscii;
    LONGTAIL_ASSIGN_OR_RETURN(std::string output, inspect.Run(bars));
    return CommandOutcome{.output = std::move(output)};
  }

  CoordinatorCommand coordinator;
  ServeCommand serve;
  UpCommand up;
  StatusCommand status;
  DownCommand down;
  PlaceCommand place;
  RollbackCommand rollback;
  InspectCommand inspect;
  CkptCommand ckpt;
  KeysCommand keys;
  DoctorCommand doctor;
  PlanCommand plan;
  TopCommand top;
  BenchCommand bench;
  GpuSelfcheckCommand gpu_selfcheck;
  ManualCommand manual;
};

int Main(int argc, char** argv) {
  CLI::App app("Runs a Longtail cluster and looks into what it has saved.");
  app.set_version_flag("--version", ProgramVersion());
  app.require_subcommand(1);
  bool checks_arguments = false;
  app.add_flag("--check-arguments", checks_arguments,
               "Only read the command line: exit status 0 if it is one");
  app.footer("Exit status:\n" + ExitCodesText());
  const Commands commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kWrongUse;  // --help and --version end so, too.
  }
  if (checks_arguments) return kDone;

  const absl::StatusOr<CommandOutcome> outcome = commands.Run();
  if (!outcome.ok()) {
    const auto message = outcome.status().message();
    return Fail({message.data(), message.size()});
  }
  std::cout << outcome->output << std::flush;
  return std::cout ? outcome->code : Fail("standard output: cannot be written");
}

}  // namespace
}  // namespace longtail::cli

int main(int argc, char** argv) {
  // We throw nothing; a library may, if memory is out.
  try {
    return longtail::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "longtail: %s\n", error.what());
    return longtail::cli::kFailed;
  }
}
