#include "cli/plan_command.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "cli/plan.h"
#include "cli/plan_answer.h"
#include "cli/plan_input.h"

namespace longtail::cli {
namespace {

const std::vector<std::string> kWireNames = {"fp32", "bf16", "fp16", "int8"};  // As WireValues.

}  // namespace

struct PlanCommand::Arguments {
  CLI::App* command = nullptr;
  PlanInput input;
  std::vector<std::string> tables;
  std::string config;
  std::string spec;
  PlannedTable data;  // Of the config or the spec.
  std::string wire = "fp32";
  double memory_gib = 16;
  double store_mb = 300;
  bool keeps_no_log = false;
  bool wants_json = false;
};

PlanCommand::PlanCommand(CLI::App& app) : arguments_(std::make_unique<Arguments>()) {
  Arguments& a = *arguments_;
  a.command = app.add_subcommand(
      "plan", "Tell what tables will take: bytes a row, servers, network, checkpoints, resources");
  a.command->add_option(
      "--table", a.tables,
      "NAME:cardinality=N,dim=N[,fields=N][,optimizer=RULE][,weights=FORMAT][,state=FORMAT]"
      "[,tail=COUNT][,rowwise=1][,tail_share=SHARE]: a table of that many fields of so many values "
      "each; rules sgd, momentum, adagrad, rowwise_adagrad, adam, ftrl; formats fp32, bf16, fp16, "
      "int8; may be given several times");
  CLI::Option* const config = a.command->add_option(
      "--config", a.config, "Config of a longtail-ctr training; with --fields and --cardinality");
  a.command
      ->add_option("--spec", a.spec,
                   "File with a table's spec as manifests have it; with --fields and --cardinality")
      ->excludes(config);
  a.command->add_option("--fields", a.data.fields, "Of --config or --spec: fields of an example")
      ->capture_default_str();
  a.command->add_option("--cardinality", a.data.cardinality,
                        "Of --config or --spec: values of each field, on the average");
  a.command->add_option("--batch", a.input.batch, "Examples of a step, all workers together")
      ->capture_default_str();
  a.command->add_option("--workers", a.input.workers, "Workers that share a step")
      ->capture_default_str();
  a.command->add_option("--steps-per-second", a.input.steps_per_second, "Steps a second")
      ->capture_default_str();
  a.command
      ->add_option("--distinct", a.input.distinct,
                   "Share of a batch's keys that are different; 1: the most it can be")
      ->capture_default_str();
  a.command->add_option("--replicas", a.input.replicas, "Replicas of each lane")
      ->capture_default_str();
  a.command->add_option("--partitions", a.input.partitions,
                        "Partitions, a power of two; without it as many as are good");
  a.command->add_flag("--no-log", a.keeps_no_log, "Servers keep no logs");
  a.command->add_option("--wire", a.wire, "Format of rows and gradients between processes")
      ->check(CLI::IsMember(kWireNames))
      ->capture_default_str();
  a.command->add_option("--memory-gib", a.memory_gib, "Memory of a server's machine")
      ->check(CLI::Range(0.01, 1e6))
      ->capture_default_str();
  a.command->add_option("--cores", a.input.server_cores, "Its cores")->capture_default_str();
  a.command
      ->add_option("--store-mb", a.store_mb, "MB a second that a server writes its checkpoint at")
      ->capture_default_str();
  a.command->add_flag("--json", a.wants_json, "One JSON object");
}

PlanCommand::~PlanCommand() = default;

bool PlanCommand::parsed() const {
  return arguments_->command->parsed();
}

absl::StatusOr<CommandOutcome> PlanCommand::Run() const {
  const Arguments& a = *arguments_;
  PlanInput input = a.input;
  // What is given on the command line counts, whatever the config says.
  const bool has_batch = a.command->count("--batch") != 0;
  const bool has_workers = a.command->count("--workers") != 0;
  for (const std::string& text : a.tables) {
    LONGTAIL_ASSIGN_OR_RETURN(PlannedTable table, ParsePlannedTable(text));
    input.tables.push_back(std::move(table));
  }
  if (!a.config.empty()) LONGTAIL_RETURN_IF_ERROR(TakeTrainingConfig(a.config, a.data, input));
  if (!a.spec.empty()) LONGTAIL_RETURN_IF_ERROR(TakeTableSpec(a.spec, a.data, input));
  if (has_batch) input.batch = a.input.batch;
  if (has_workers) input.workers = a.input.workers;
  input.wire = static_cast<WireValues>(std::ranges::find(kWireNames, a.wire) - kWireNames.begin());
  input.server_memory_bytes =
      static_cast<std::uint64_t>(a.memory_gib * static_cast<double>(std::uint64_t{1} << 30));
  input.store_bytes_per_second = a.store_mb * 1e6;
  input.keeps_log = !a.keeps_no_log;
  LONGTAIL_ASSIGN_OR_RETURN(const Plan plan, MakePlan(input));
  return CommandOutcome{.output = a.wants_json ? PlanJson(plan) : PlanText(input, plan)};
}

}  // namespace longtail::cli
