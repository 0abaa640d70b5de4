// longtail-recommender: trains, evaluates and asks recommenders.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/recommender/answers.h"
#include "examples/recommender/evaluation.h"
#include "examples/recommender/item_knn.h"
#include "examples/recommender/popularity.h"
#include "examples/recommender/recommender_config.h"
#include "examples/recommender/training_run.h"

namespace longtail::examples::recommender {
namespace {

// Of `recommend` for somebody of whom nothing is known: the answer is what everybody gets.
constexpr int kExitNotPersonal = 3;

struct Arguments {
  std::string config;
  std::string data_directory;
  std::string out = "runs/recommender";
  std::string store;
  std::string cluster;
  std::string on_bad_line = "fail";
  std::string model = "trained";
  std::string part = "test";
  std::string user;
  std::string item;
  std::string step_mode;
  std::optional<float> popularity_discount;
  std::optional<float> tail_share;
  std::uint64_t seed = 0;
  std::uint32_t fold = 0;
  std::uint32_t epochs = 0;
  std::uint32_t workers = 0;
  std::uint32_t lanes = 0;
  std::uint32_t processes = 1;
  std::uint32_t process = 0;
  std::uint64_t checkpoint_every = 0;
  std::uint64_t stop_after = 0;
  std::size_t count = 10;
  std::size_t neighbours = 100;
  double join_timeout_seconds = 60;
  bool resume = false;
  bool json = false;
};

TerminalStyle StyleOfTerminal() {
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  return {.color = is_terminal && std::getenv("NO_COLOR") == nullptr, .unicode = is_terminal};
}

absl::StatusOr<RunOptions> OptionsOf(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(RecommenderConfig config, LoadRecommenderConfig(arguments.config));
  if (!arguments.data_directory.empty()) config.data.directory = arguments.data_directory;
  if (arguments.seed != 0) config.seed = arguments.seed;
  config.model.popularity_discount =
      arguments.popularity_discount.value_or(config.model.popularity_discount);
  config.model.tail_share = arguments.tail_share.value_or(config.model.tail_share);
  if (arguments.fold != 0) config.data.split.fold = arguments.fold;
  if (arguments.epochs != 0) config.epochs = arguments.epochs;
  if (arguments.workers != 0) config.workers = arguments.workers;
  if (arguments.lanes != 0) config.lanes = arguments.lanes;
  if (arguments.step_mode == "synchronous") config.step_mode = StepMode::kSynchronous;
  if (arguments.step_mode == "asynchronous") config.step_mode = StepMode::kAsynchronous;
  if (arguments.step_mode == "bounded") config.step_mode = StepMode::kBoundedStaleness;
  if (arguments.process >= arguments.processes) {
    return absl::InvalidArgumentError(
        absl::StrCat("process ", arguments.process, ": wanted 0..", arguments.processes - 1));
  }
  return RunOptions{
      .config = config,
      .cluster = arguments.cluster,
      .store = arguments.store,
      .join_timeout_seconds = arguments.join_timeout_seconds,
      .process = {.count = arguments.processes, .index = arguments.process},
      .out = arguments.out,
      .checkpoint_every = arguments.checkpoint_every,
      .stop_after = arguments.stop_after,
      .resume = arguments.resume,
      .on_bad_line = arguments.on_bad_line == "skip" ? OnBadLine::kSkip : OnBadLine::kFail,
      .style = StyleOfTerminal()};
}

// The data, what scores items, and what that needs to live.
struct Loaded {
  RunOptions options;
  std::unique_ptr<Dataset> data;
  SavedModel saved;  // Of the trained model alone.
  std::unique_ptr<Scorer> baseline;

  Scorer& scorer() { return baseline != nullptr ? *baseline : *saved.model; }
};

absl::StatusOr<std::unique_ptr<Loaded>> Load(const Arguments& arguments) {
  auto loaded = std::make_unique<Loaded>();
  LONGTAIL_ASSIGN_OR_RETURN(loaded->options, OptionsOf(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(Dataset data,
                            LoadDataset(loaded->options.config.data, loaded->options.on_bad_line));
  loaded->data = std::make_unique<Dataset>(std::move(data));
  PrintBadLines(loaded->data->names.bad_lines, std::cerr);
  if (arguments.model == "popularity") {
    loaded->baseline = std::make_unique<Popularity>(loaded->data->item_counts);
  } else if (arguments.model == "itemknn") {
    loaded->baseline = std::make_unique<ItemKnn>(*loaded->data, arguments.neighbours);
  } else {
    LONGTAIL_ASSIGN_OR_RETURN(loaded->saved, LoadSavedModel(loaded->options, *loaded->data));
  }
  return loaded;
}

absl::Status Train(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const RunOptions options, OptionsOf(arguments));
  return TrainAndEvaluate(options, std::cout).status();
}

absl::Status Evaluate(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const auto loaded, Load(arguments));
  const EvaluatedPart part =
      arguments.part == "test" ? EvaluatedPart::kTest : EvaluatedPart::kValidation;
  const std::string title =
      absl::StrCat(loaded->options.config.title, ", ", arguments.model, ", ", arguments.part);
  const TerminalStyle style = StyleOfTerminal();
  const bool is_rating = loaded->options.config.loss.kind == LossKind::kSquared;
  if (is_rating && loaded->baseline == nullptr) {
    LONGTAIL_ASSIGN_OR_RETURN(const RatingResult result,
                              EvaluateRatings(*loaded->data, part, *loaded->saved.model));
    if (arguments.json) {
      std::cout << ToJson(result);
    } else {
      Print(result, title, std::cout, style);
    }
    return absl::OkStatus();
  }
  LONGTAIL_ASSIGN_OR_RETURN(const RankingResult result,
                            EvaluateRanking(*loaded->data, part, loaded->scorer(),
                                            loaded->options.config.model.tail_share));
  if (arguments.json) {
    std::cout << ToJson(result);
  } else {
    Print(result, title, std::cout, style);
  }
  return absl::OkStatus();
}

absl::StatusOr<Knowledge> Recommend(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const auto loaded, Load(arguments));
  return PrintRecommendations(*loaded->data, arguments.user, arguments.count, loaded->scorer(),
                              loaded->options.config.model.tail_share, std::cout,
                              StyleOfTerminal());
}

absl::Status Similar(const Arguments& arguments) {
  LONGTAIL_ASSIGN_OR_RETURN(const auto loaded, Load(arguments));
  LONGTAIL_ASSIGN_OR_RETURN(const std::uint32_t item, FindItem(*loaded->data, arguments.item));
  PrintSimilar(*loaded->data, item, arguments.count, *loaded->saved.model, std::cout,
               StyleOfTerminal());
  return absl::OkStatus();
}

void AddCommonOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("config", arguments.config, "Config file (JSON)")->required();
  command.add_option("--out", arguments.out, "Directory of the run")->capture_default_str();
  command.add_option("--store", arguments.store,
                     "Where checkpoints are: a directory or rados://POOL[/NAMESPACE]; the servers "
                     "must name the same; OUT/checkpoints if not given");
  command.add_option("--data_dir", arguments.data_directory, "Where the config's files are");
  command.add_option("--on_bad_line", arguments.on_bad_line, "fail or skip")
      ->check(CLI::IsMember({"fail", "skip"}));
  command.add_option("--seed", arguments.seed, "Instead of the config's");
  command.add_option("--fold", arguments.fold, "Instead of the config's");
  command
      .add_option("--popularity_discount", arguments.popularity_discount,
                  "Instead of the config's: how far popular items are held back in lists")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--tail_share", arguments.tail_share,
                  "Instead of the config's: the share of a list's places that is for rare items")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--workers", arguments.workers, "Instead of the config's");
  command.add_option("--lanes", arguments.lanes, "Instead of the config's");
  command.add_option("--step_mode", arguments.step_mode, "Instead of the config's")
      ->check(CLI::IsMember({"synchronous", "asynchronous", "bounded"}));
}

void AddModelOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--model", arguments.model, "trained, popularity or itemknn")
      ->check(CLI::IsMember({"trained", "popularity", "itemknn"}))
      ->capture_default_str();
  command.add_option("--neighbours", arguments.neighbours, "Of itemknn: of each item")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

void AddCount(CLI::App& command, Arguments& arguments) {
  command.add_option("-n,--count", arguments.count, "Items to print")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Trains, evaluates and asks recommenders on a Longtail cluster.");
  app.require_subcommand(1);
  CLI::App* const train = app.add_subcommand("train", "Train, save and evaluate");
  AddCommonOptions(*train, arguments);
  train->add_option("--epochs", arguments.epochs, "Instead of the config's");
  train->add_option("--cluster", arguments.cluster,
                    "Servers to train on: tcp://HOST:PORT of their coordinator, or a file with it");
  train
      ->add_option("--join_timeout", arguments.join_timeout_seconds,
                   "Seconds to wait for the cluster until it is there")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  train->add_option("--processes", arguments.processes, "Processes that share the config's workers")
      ->check(CLI::Range(1, 4096));
  train->add_option("--process", arguments.process, "Which of them this one is, from 0");
  train->add_option("--checkpoint_every", arguments.checkpoint_every, "Steps; 0: at the end");
  train->add_option("--stop_after", arguments.stop_after, "Stop after so many steps and save");
  train->add_flag("--resume", arguments.resume, "Go on from the newest checkpoint");
  CLI::App* const evaluate =
      app.add_subcommand("eval", "Measure a saved model, or a baseline, on all items");
  AddCommonOptions(*evaluate, arguments);
  AddModelOptions(*evaluate, arguments);
  evaluate->add_option("--part", arguments.part, "test or validation")
      ->check(CLI::IsMember({"test", "validation"}))
      ->capture_default_str();
  evaluate->add_flag("--json", arguments.json, "For a program");
  CLI::App* const recommend =
      app.add_subcommand("recommend",
                         "Print what a user may like; exit status 3 if nothing is "
                         "known of the user, who then gets what is popular");
  AddCommonOptions(*recommend, arguments);
  AddModelOptions(*recommend, arguments);
  recommend->add_option("user", arguments.user, "The user's id")->required();
  AddCount(*recommend, arguments);
  CLI::App* const similar =
      app.add_subcommand("similar", "Print the items whose learned rows are nearest to an item's");
  AddCommonOptions(*similar, arguments);
  similar->add_option("item", arguments.item, "The item's id, or a part of its title")->required();
  AddCount(*similar, arguments);
  CLI11_PARSE(app, argc, argv);

  absl::Status status;
  int exit_code = 0;
  if (*train) {
    status = Train(arguments);
  } else if (*evaluate) {
    status = Evaluate(arguments);
  } else if (*recommend) {
    const absl::StatusOr<Knowledge> knowledge = Recommend(arguments);
    status = knowledge.status();
    if (knowledge.ok() && *knowledge != Knowledge::kUser) exit_code = kExitNotPersonal;
  } else {
    status = Similar(arguments);
  }
  if (status.ok()) return exit_code;
  std::cerr << "longtail-recommender: " << status.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace longtail::examples::recommender

int main(int argc, char** argv) {
  return longtail::examples::recommender::Main(argc, argv);
}
