#include "cli/bench_command.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "cli/bench.h"
#include "cli/bench_answer.h"
#include "cli/local_cluster.h"

namespace longtail::cli {
namespace {

const std::vector<std::string> kWireNames = {"fp32", "bf16", "fp16", "int8"};  // As WireValues.
const std::vector<std::string> kKinds = {"push", "pull"};

}  // namespace

struct BenchCommand::Arguments {
  CLI::App* command = nullptr;
  BenchOptions options{.cluster = LocalClusterFile(kLocalClusterDirectory)};
  double seconds = 5;
  double timeout_seconds = 10;
  std::string only;
  std::string wire = "fp32";
  bool wants_json = false;
};

BenchCommand::BenchCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  BenchOptions& o = a.options;
  a.command = app.add_subcommand(
      "bench",
      "Push to a running cluster and pull from it, as one more worker, and tell how fast "
      "that was; the table that it makes stays, with its rows");
  a.command
      ->add_option("--cluster", o.cluster,
                   "The coordinator's address, tcp://HOST:PORT, or a file that holds it")
      ->capture_default_str();
  a.command->add_option("--table", o.table, "The table's name; it is made if it is not there")
      ->capture_default_str();
  a.command->add_option("--dim", o.dim, "Weights of its rows")->capture_default_str();
  a.command->add_option("--rows", o.rows, "Different keys")->capture_default_str();
  a.command
      ->add_option("--zipf", o.zipf, "Keys by Zipf's law with this exponent; 0: each as likely")
      ->capture_default_str();
  a.command->add_option("--keys", o.keys, "Keys of a call")->capture_default_str();
  a.command->add_option("--depth", o.depth, "Calls in flight")->capture_default_str();
  a.command->add_option("--seconds", a.seconds, "Seconds of pushes, and of pulls")
      ->capture_default_str();
  a.command->add_option("--only", a.only, "Calls of this kind alone")->check(CLI::IsMember(kKinds));
  a.command->add_option("--wire", a.wire, "Format of rows and gradients on their way")
      ->check(CLI::IsMember(kWireNames))
      ->capture_default_str();
  a.command
      ->add_option("--timeout", a.timeout_seconds,
                   "Seconds to wait for the cluster, and for a call")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

BenchCommand::~BenchCommand() = default;

bool BenchCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> BenchCommand::Run() const {
  const Arguments& a = *arguments_;
  BenchOptions options = a.options;
  options.time = absl::Seconds(a.seconds);
  options.timeout = absl::Seconds(a.timeout_seconds);
  options.pushes = a.only != "pull";
  options.pulls = a.only != "push";
  options.wire =
      static_cast<WireValues>(std::ranges::find(kWireNames, a.wire) - kWireNames.begin());
  LONGTAIL_ASSIGN_OR_RETURN(const std::vector<BenchFigure> figures, RunBench(options));
  return CommandOutcome{.output = a.wants_json ? BenchJson(options, figures)
                                               : BenchText(options, figures)};
}

}  // namespace longtail::cli
