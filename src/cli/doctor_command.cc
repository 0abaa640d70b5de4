#include "cli/doctor_command.h"

#include <string>

#include "base/status_macros.h"
#include "cli/doctor.h"
#include "cli/doctor_answer.h"
#include "cli/exit_codes.h"

namespace longtail::cli {
namespace {

constexpr double kTimeoutSecondsMin = 0.1;
constexpr double kTimeoutSecondsMax = 600;

}  // namespace

struct DoctorCommand::Arguments {
  CLI::App* command = nullptr;
  DoctorOptions options;
  double timeout_seconds = 3;
  std::string bundle;
  bool wants_json = false;
};

DoctorCommand::DoctorCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand(
      "doctor",
      "Look for what is wrong with a machine, a cluster and its stores, and say what to do about "
      "it: exit status 1 if a check failed");
  a.command->add_option("--coordinator,--cluster", a.options.coordinator,
                        "The coordinator's address, tcp://HOST:PORT, or a file that holds it: it "
                        "and every server are asked");
  a.command->add_option("--store", a.options.store,
                        "A store of checkpoints, to be written, read and removed");
  a.command->add_option("--log", a.options.log, "A place for logs, likewise");
  a.command->add_option("--state", a.options.state, "A coordinator's state, to be read");
  a.command->add_option("--listen", a.options.listen,
                        "tcp://HOST:PORT that a server is to listen at");
  a.command->add_option("--advertise", a.options.advertise,
                        "The host that others are to connect to");
  a.command->add_option("--admin", a.options.admin, "HOST:PORT that its pages are to be at");
  a.command->add_option("--lanes", a.options.lanes, "Lanes of that server")->capture_default_str();
  a.command->add_option("--replicas", a.options.replicas, "Replicas of each lane")
      ->capture_default_str();
  a.command->add_option("--memory-mib", a.options.memory_mib,
                        "Memory that it is to take, as `longtail plan` says");
  a.command
      ->add_option("--timeout", a.timeout_seconds, "Seconds to wait for each process that is asked")
      ->check(CLI::Range(kTimeoutSecondsMin, kTimeoutSecondsMax))
      ->capture_default_str();
  a.command->add_option("--bundle", a.bundle,
                        "File to write an archive into (tar) for a report of a mistake: the "
                        "findings, the cluster's status, versions, limits; no keys");
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

DoctorCommand::~DoctorCommand() = default;

bool DoctorCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> DoctorCommand::Run() const {
  DoctorOptions options = arguments_->options;
  options.timeout = absl::Seconds(arguments_->timeout_seconds);
  const Findings findings = RunDoctor(options);
  if (!arguments_->bundle.empty()) {
    LONGTAIL_RETURN_IF_ERROR(WriteBundle(arguments_->bundle, options, findings));
  }
  return CommandOutcome{
      .output = arguments_->wants_json ? DoctorJson(findings) : DoctorText(findings),
      .code = findings.Count(Grade::kFail) == 0 ? kDone : kFailed};
}

}  // namespace longtail::cli
