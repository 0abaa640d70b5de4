// longtail-ctr: trains, evaluates, applies and exports click-through models.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/common/report/result_table.h"
#include "examples/ctr/child_processes.h"
#include "examples/ctr/onnx/onnx_model.h"
#include "examples/ctr/onnx/prediction_samples.h"
#include "examples/ctr/saved_model.h"
#include "examples/ctr/scoring.h"
#include "examples/ctr/train_config.h"
#include "examples/ctr/training_run.h"

namespace longtail::examples {
namespace {

// Without --process this program starts those after the first one itself.
constexpr std::uint32_t kAllProcesses = std::numeric_limits<std::uint32_t>::max();

struct Arguments {
  std::string config;
  std::string data_directory;
  std::string out = "runs/ctr";
  std::string split;
  std::string input;
  std::string output;
  std::string samples;
  std::uint64_t sample_count = 1000;
  std::string on_bad_line = "fail";
  std::uint64_t seed = 0;
  std::uint32_t epochs = 0;
  std::uint32_t workers = 0;
  std::uint32_t lanes = 0;
  std::uint32_t partitions = 0;
  std::uint64_t checkpoint_every = 0;
  std::uint32_t checkpoint_increments = 0;
  std::uint64_t stop_after = 0;
  std::string train_split;
  std::string step_mode;
  std::uint32_t staleness = 0;
  std::string wire_values;
  std::string wire_rows;
  bool name_key_lists = false;
  std::optional<std::uint32_t> row_cache_mib;
  std::optional<std::uint32_t> row_cache_steps;
  std::optional<std::string> device;
  std::optional<std::uint32_t> depth;
  std::optional<std::uint32_t> exact_steps;
  std::optional<std::uint32_t> device_cache_rows;
  std::optional<std::uint32_t> device_cache_steps;
  bool graph = false;
  std::string trace;
  std::string cluster;
  std::string admin;
  std::string store;
  double join_timeout_seconds = 60;
  double checkpoint_timeout_seconds = 600;
  std::uint32_t processes = 1;
  std::uint32_t process = kAllProcesses;
  bool resume = false;
  bool json = false;
};

// In the order of WireValues.
const std::vector<std::string> kWireValues = {"fp32", "bf16", "fp16", "int8"};

WireValues WireValuesOf(const std::string& name) {
  return static_cast<WireValues>(std::ranges::find(kWireValues, name) - kWireValues.begin());
}

absl::StatusOr<TrainConfig> ConfigOf(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(TrainConfig config, LoadTrainConfig(arguments.config));
  if (!arguments.data_directory.empty()) config.data.directory = arguments.data_directory;
  if (!arguments.train_split.empty()) config.data.train = arguments.train_split;
  if (arguments.seed != 0) config.seed = arguments.seed;
  if (arguments.epochs != 0) config.epochs = arguments.epochs;
  if (arguments.workers != 0) config.workers = arguments.workers;
  if (arguments.lanes != 0) config.lanes = arguments.lanes;
  if (arguments.partitions != 0) config.partitions = arguments.partitions;
  if (arguments.step_mode == "synchronous") config.step_mode = StepMode::kSynchronous;
  if (arguments.step_mode == "asynchronous") config.step_mode = StepMode::kAsynchronous;
  if (arguments.step_mode == "bounded") config.step_mode = StepMode::kBoundedStaleness;
  if (!arguments.step_mode.empty()) config.staleness = arguments.staleness;
  if (!arguments.wire_values.empty()) {
    config.wire_gradients = WireValuesOf(arguments.wire_values);
    config.wire_rows = config.wire_gradients;
  }
  if (!arguments.wire_rows.empty()) config.wire_rows = WireValuesOf(arguments.wire_rows);
  if (arguments.name_key_lists) config.name_key_lists = true;
  config.row_cache_mib = arguments.row_cache_mib.value_or(config.row_cache_mib);
  config.row_cache_steps = arguments.row_cache_steps.value_or(config.row_cache_steps);
  DeviceConfig& device = config.device;
  device.name = arguments.device.value_or(device.name);
  device.depth = arguments.depth.value_or(device.depth);
  device.exact_steps = arguments.exact_steps.value_or(device.exact_steps);
  device.cache_rows = arguments.device_cache_rows.value_or(device.cache_rows);
  device.cache_steps = arguments.device_cache_steps.value_or(device.cache_steps);
  if (arguments.graph) device.graph = true;
  device.trace = arguments.trace;
  const bool needs_device = arguments.graph || !device.trace.empty();
  if (needs_device && device.name.empty()) {
    return absl::InvalidArgumentError("--graph and --trace are of a device: wanted --device, too");
  }
  return config;
}

std::string StoreOf(const Arguments& arguments) {
  return arguments.store.empty() ? arguments.out + "/checkpoints" : arguments.store;
}

OnBadLine BadLinesOf(const Arguments& arguments) {
  return arguments.on_bad_line == "skip" ? OnBadLine::kSkip : OnBadLine::kFail;
}

TerminalStyle StyleOfTerminal() {
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  return {.color = is_terminal && std::getenv("NO_COLOR") == nullptr, .unicode = is_terminal};
}

absl::Status TrainHere(const Arguments& arguments, std::uint32_t process,
                       const std::string& command_line) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig config, ConfigOf(arguments));
  RunOptions options{.config = config,
                     .cluster = arguments.cluster,
                     .admin = process == 0 || arguments.process != kAllProcesses
                                  ? arguments.admin
                                  : std::string(),  // One of those that share its address.
                     .store = arguments.store,
                     .join_timeout_seconds = arguments.join_timeout_seconds,
                     .checkpoint_timeout_seconds = arguments.checkpoint_timeout_seconds,
                     .process = {.count = arguments.processes, .index = process},
                     .out = arguments.out,
                     .checkpoint_every = arguments.checkpoint_every,
                     .checkpoint_increments = arguments.checkpoint_increments,
                     .stop_after = arguments.stop_after,
                     .resume = arguments.resume,
                     .on_bad_line = BadLinesOf(arguments),
                     .command_line = command_line,
                     .progress = {},
                     .style = StyleOfTerminal()};
  winsize size{};
  if (arguments.json) {
    options.progress.mode = ProgressMode::kJson;
  } else if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    options.progress.mode = ProgressMode::kTerminal;
    options.progress.width = size.ws_col;
  }
  return TrainAndReport(options, std::cout).status();
}

absl::Status Train(const Arguments& arguments, const std::string& command_line) {
  if (arguments.process != kAllProcesses || arguments.processes == 1) {
    const std::uint32_t process = arguments.process == kAllProcesses ? 0 : arguments.process;
    if (process >= arguments.processes) {
      return absl::InvalidArgumentError(
          absl::StrCat("process ", process, ": wanted 0..", arguments.processes - 1));
    }
    return TrainHere(arguments, process, command_line);
  }
  LONGTAIL_ASSIGN_OR_RETURN(
      ChildProcesses children,
      ChildProcesses::Start(arguments.processes - 1, arguments.out, [&](std::uint32_t child) {
        const absl::Status status = TrainHere(arguments, child + 1, command_line);
        if (!status.ok()) std::cerr << "longtail-ctr: " << status.message() << "\n";
        return status.ok();
      }));
  LONGTAIL_RETURN_IF_ERROR(TrainHere(arguments, 0, command_line));
  return children.Wait();
}

absl::Status Evaluate(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig config, ConfigOf(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const SavedModel model,
                            LoadSavedModel(StoreOf(arguments), config, BadLinesOf(arguments)));
  const std::string split = arguments.split.empty() ? config.data.test : arguments.split;
  LONGTAIL_ASSIGN_OR_RETURN(const auto batches,
                            model.data->Score(split, config.batch / config.workers));
  RunReport report;
  report.field_name = config.data.frequency_field;
  report.splits.push_back({.name = split});
  LONGTAIL_ASSIGN_OR_RETURN(
      report.splits[0].evaluation,
      ScoreAll(*model.trainer, *batches, {.frequency_field = model.data->frequency_field()}));
  PrintResultTable(report, std::cout, StyleOfTerminal());
  return absl::OkStatus();
}

absl::Status Predict(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig config, ConfigOf(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const SavedModel model,
                            LoadSavedModel(StoreOf(arguments), config, BadLinesOf(arguments)));
  LONGTAIL_ASSIGN_OR_RETURN(const auto batches,
                            model.data->ScoreFile(arguments.input, config.batch / config.workers));
  std::ofstream file;
  if (!arguments.output.empty()) {
    file.open(arguments.output, std::ios::binary | std::ios::trunc);
    if (!file) {
      return absl::InvalidArgumentError(
          absl::StrCat("output '", arguments.output, "': cannot be written"));
    }
  }
  std::ostream& out = arguments.output.empty() ? std::cout : file;
  out << "example,label,probability\n";
  return ScoreAll(*model.trainer, *batches, {.predictions = &out}).status();
}

absl::Status ExportOnnx(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const TrainConfig config, ConfigOf(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const SavedModel model,
                            LoadSavedModel(StoreOf(arguments), config, BadLinesOf(arguments)));
  LONGTAIL_ASSIGN_OR_RETURN(const std::string bytes, EncodeOnnxModel(model.trainer->model_spec(),
                                                                     model.trainer->parameters()));
  std::ofstream file(arguments.output, std::ios::binary | std::ios::trunc);
  file << bytes;
  file.close();
  if (!file) {
    return absl::UnavailableError(
        absl::StrCat("output '", arguments.output, "': cannot be written"));
  }
  if (arguments.samples.empty()) return absl::OkStatus();
  const std::string split = arguments.split.empty() ? config.data.test : arguments.split;
  LONGTAIL_ASSIGN_OR_RETURN(const auto batches,
                            model.data->Score(split, config.batch / config.workers));
  return WritePredictionSamples(*model.trainer, *batches, arguments.sample_count, arguments.samples)
      .status();
}

void AddModelOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("config", arguments.config, "Config file (JSON)")->required();
  command.add_option("--out", arguments.out, "Directory of the run")->capture_default_str();
  command.add_option("--store", arguments.store,
                     "Where checkpoints are: a directory or rados://POOL[/NAMESPACE]; the servers "
                     "must name the same; OUT/checkpoints if not given");
  command.add_option("--data_dir", arguments.data_directory, "Where the schema's files are");
  command.add_option("--on_bad_line", arguments.on_bad_line, "fail or skip")
      ->check(CLI::IsMember({"fail", "skip"}));
  command.add_option("--seed", arguments.seed, "Instead of the config's");
  command.add_option("--workers", arguments.workers, "Instead of the config's");
  command.add_option("--lanes", arguments.lanes, "Instead of the config's");
  command.add_option("--partitions", arguments.partitions, "Instead of the config's");
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Trains, evaluates and applies click-through models on a Longtail cluster.");
  app.require_subcommand(1);
  bool checks_arguments = false;
  app.add_flag("--check_arguments", checks_arguments,
               "Only read the command line: exit status 0 if it is one");
  CLI::App* const train = app.add_subcommand("train", "Train, evaluate, save and report");
  AddModelOptions(*train, arguments);
  train->add_option("--epochs", arguments.epochs, "Instead of the config's");
  train->add_option("--train_split", arguments.train_split, "Instead of the config's");
  train->add_option("--checkpoint_every", arguments.checkpoint_every, "Steps; 0: at the end");
  train
      ->add_option("--checkpoint_increments", arguments.checkpoint_increments,
                   "Checkpoints that have only what changed, between full ones; 0: all are full")
      ->check(CLI::Range(0, 1000));
  train->add_option("--stop_after", arguments.stop_after, "Stop after so many steps and save");
  train->add_option("--step_mode", arguments.step_mode, "Instead of the config's")
      ->check(CLI::IsMember({"synchronous", "asynchronous", "bounded"}));
  train->add_option("--staleness", arguments.staleness, "Of --step_mode bounded")
      ->check(CLI::Range(0U, kStalenessMax));
  train->add_option("--cluster", arguments.cluster,
                    "Servers to train on: tcp://HOST:PORT of their coordinator, or a file with it");
  train
      ->add_option("--join_timeout", arguments.join_timeout_seconds,
                   "Seconds to wait for the cluster until it is there")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  train
      ->add_option("--checkpoint_timeout", arguments.checkpoint_timeout_seconds,
                   "Seconds that the cluster may take to save a checkpoint")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  train
      ->add_option("--wire_values", arguments.wire_values,
                   "How gradients and rows travel to and from servers, not the config's")
      ->check(CLI::IsMember(kWireValues));
  train->add_option("--wire_rows", arguments.wire_rows, "Rows alone, not as --wire_values")
      ->check(CLI::IsMember(kWireValues));
  train->add_flag("--name_key_lists", arguments.name_key_lists,
                  "Send lists of keys that a server has by name");
  train->add_option("--row_cache_mib", arguments.row_cache_mib,
                    "Memory of each worker for rows that it pulls often; 0: none");
  train->add_option("--row_cache_steps", arguments.row_cache_steps,
                    "For how many steps such a row is used before it is pulled again");
  train->add_option("--device", arguments.device,
                    "Train on a device: auto, cpu or cuda:0, with one worker; not given: on this "
                    "machine's threads");
  train
      ->add_option("--depth", arguments.depth,
                   "Steps in flight on the device; 1 is exact, N: rows are N - 1 steps old")
      ->check(CLI::Range(1U, kDeviceDepthMax));
  train->add_option("--exact_steps", arguments.exact_steps,
                    "Steps at the beginning that have exact rows all the same");
  train->add_option("--device_cache_rows", arguments.device_cache_rows,
                    "Rows kept in the device's memory; 0: none");
  train->add_option("--device_cache_steps", arguments.device_cache_steps,
                    "For how many steps such a row is used before it is pulled again");
  train->add_flag("--graph", arguments.graph,
                  "Launch the dense part of a step as one on the device: no bit is another");
  train->add_option("--trace", arguments.trace,
                    "A file for the times of the stages of the device's steps, as a Chrome trace");
  train->add_option("--admin", arguments.admin,
                    "HOST:PORT of pages for probes and Prometheus: /livez, /readyz, /metrics; who "
                    "reaches them may read them, and no more");
  train->add_option("--processes", arguments.processes, "Processes that share the config's workers")
      ->check(CLI::Range(1, 4096));
  train->add_option("--process", arguments.process,
                    "Which of them this one is, from 0; without it all are started here");
  train->add_flag("--resume", arguments.resume, "Go on from the newest checkpoint");
  train->add_flag("--json", arguments.json, "Progress as JSON lines");
  CLI::App* const evaluate = app.add_subcommand("evaluate", "Measure a saved model on a split");
  AddModelOptions(*evaluate, arguments);
  evaluate->add_option("--split", arguments.split, "Split; the config's test split if not given");
  CLI::App* const predict = app.add_subcommand("predict", "Score a file with a saved model");
  AddModelOptions(*predict, arguments);
  predict->add_option("--input", arguments.input, "File in the schema's format")->required();
  predict->add_option("--output", arguments.output, "CSV to write; standard output if not given");
  CLI::App* const export_onnx =
      app.add_subcommand("export-onnx", "Write a saved model's dense part as an ONNX model");
  AddModelOptions(*export_onnx, arguments);
  export_onnx->add_option("--output", arguments.output, "The model, FILE.onnx")->required();
  export_onnx->add_option("--samples", arguments.samples,
                          "Directory for inputs and what this program makes of them, of numpy");
  export_onnx->add_option("--sample_count", arguments.sample_count, "How many examples")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  export_onnx->add_option("--split", arguments.split, "Of the samples; the config's test split");
  CLI11_PARSE(app, argc, argv);
  if (checks_arguments) return 0;

  std::string command_line = "longtail-ctr";
  for (int i = 1; i < argc; ++i) absl::StrAppend(&command_line, " ", argv[i]);
  const absl::Status status = *train      ? Train(arguments, command_line)
                              : *evaluate ? Evaluate(arguments)
                              : *predict  ? Predict(arguments)
                                          : ExportOnnx(arguments);
  if (status.ok()) return 0;
  std::cerr << "longtail-ctr: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace longtail::examples

int main(int argc, char** argv) {
  return longtail::examples::Main(argc, argv);
}
