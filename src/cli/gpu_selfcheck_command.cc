#include "cli/gpu_selfcheck_command.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "cli/exit_codes.h"
#include "cli/gpu_selfcheck.h"
#include "cli/gpu_selfcheck_answer.h"

namespace longtail::cli {
namespace {

// What is measured on a CPU, whose products are plain loops, and what with --quick.
constexpr std::uint32_t kSmallCopyFloats = 1 << 22;
constexpr std::uint32_t kSmallProduct = 256;
constexpr std::uint32_t kSmallTimed = 2048;

}  // namespace

struct GpuSelfcheckCommand::Arguments {
  CLI::App* command = nullptr;
  GpuSelfcheckOptions options{};
  std::uint32_t examples = 0;
  bool is_quick = false;
  bool has_no_times = false;
  bool wants_json = false;
};

GpuSelfcheckCommand::GpuSelfcheckCommand(CLI::App& app)
    : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand(
      "gpu-selfcheck",
      "Check that a device computes what the CPU does, kernel by kernel and in a small training, "
      "and tell how fast, beside what a copy and a product show it can do");
  a.command->add_option("--device", a.options.device, "cuda:N, cpu, or auto")
      ->capture_default_str();
  a.command->add_option("--cuda-library", a.options.cuda_library,
                        "The CUDA component's file, if it does not lie beside the program");
  a.command
      ->add_option("--examples", a.examples,
                   "Examples of what is timed; 0: 65,536, on a CPU or with --quick 2,048")
      ->check(CLI::Range(0U, 1U << 20));
  a.command->add_flag("--quick", a.is_quick, "Time small arrays, for a short while");
  a.command->add_flag("--no-times", a.has_no_times, "Check, and time nothing");
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

GpuSelfcheckCommand::~GpuSelfcheckCommand() = default;

bool GpuSelfcheckCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> GpuSelfcheckCommand::Run() const {
  const Arguments& a = *arguments_;
  GpuSelfcheckOptions options = a.options;
  const bool is_small = a.is_quick || options.device == "cpu";
  device::CheckOptions& checks = options.checks;
  if (is_small) {
    checks.copy_floats = kSmallCopyFloats;
    checks.product_size = kSmallProduct;
    checks.timed_examples = kSmallTimed;
    checks.time = absl::Milliseconds(5);
  }
  if (a.examples != 0) checks.timed_examples = a.examples;
  if (a.has_no_times) checks.timed_examples = 0;
  const absl::StatusOr<GpuSelfcheckReport> report = RunGpuSelfcheck(options);
  if (!report.ok()) {
    return absl::Status(report.status().code(),
                        absl::StrCat("gpu-selfcheck of '", options.device,
                                     "': ", absl::string_view(report.status().message())));
  }
  return CommandOutcome{
      .output = a.wants_json ? GpuSelfcheckJson(*report) : GpuSelfcheckText(*report),
      .code = report->is_well() ? kDone : kNotWell};
}

}  // namespace longtail::cli
