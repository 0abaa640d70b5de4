// Whole trainings on the committed MovieLens data: better than popularity, the same bits every
// time, whatever the lanes, and after a stop.
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "examples/recommender/factor_trainer.h"
#include "examples/recommender/popularity.h"
#include "examples/recommender/small_data.h"
#include "examples/recommender/training_position.h"
#include "examples/recommender/training_run.h"

namespace longtail::examples::recommender {
namespace {

using test::Need;
using test::QuickStart;
using test::TemporaryDirectory;

// A short training in which every table and every kind of state has a part.
RecommenderConfig Short() {
  RecommenderConfig config = QuickStart(1);
  config.model.dim = 8;
  config.model.history = History::kOwn;
  config.model.history_max = 5;
  config.loss.negatives = 32;
  config.workers = 2;
  config.batch = 512;
  return config;
}

// Hashes of all rows of the newest checkpoint of a run.
std::string Remains(const std::string& out) {
  const auto newest = Need(NewestIn(out + "/checkpoints", {}));
  REQUIRE(newest.has_value());
  const auto cluster = Need(Cluster::Restore({}, newest->name));
  std::string text;
  for (const TableReport& table : Need(cluster->AllStatistics())) {
    text += table.spec.name + " " + std::to_string(table.statistics.hash) + "\n";
  }
  return text;
}

RunResult Run(const RecommenderConfig& config, const std::string& out, std::uint64_t stop_after = 0,
              bool resume = false) {
  std::ostringstream says;
  return Need(TrainAndEvaluate(
      {.config = config, .out = out, .stop_after = stop_after, .resume = resume}, says));
}

TEST_CASE("the quick start finds more than popularity does", "[examples][recommender][training]") {
  const RecommenderConfig config = QuickStart(4);
  const Dataset data = Need(LoadDataset(config.data, OnBadLine::kFail));
  Popularity popularity(data.item_counts);
  const RankingResult plain = Need(EvaluateRanking(data, EvaluatedPart::kTest, popularity));
  const TemporaryDirectory directory;
  const RunResult trained = Run(config, directory.path());
  REQUIRE(trained.ranking.has_value());
  CHECK(trained.ranking->metrics[1].users == 608);
  CHECK(trained.ranking->metrics[1].recall > plain.metrics[1].recall * 1.2);
  CHECK(trained.ranking->metrics[1].ndcg > plain.metrics[1].ndcg * 1.2);
  std::ifstream file(directory.path() + "/metrics.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == ToJson(*trained.ranking));

  // What was saved is what was measured.
  const RunOptions options{.config = config, .out = directory.path()};
  const SavedModel saved = Need(LoadSavedModel(options, data));
  CHECK(ToJson(Need(EvaluateRanking(data, EvaluatedPart::kTest, *saved.model))) == text);
}

TEST_CASE("the same seed gives the same bits on any number of lanes and partitions",
          "[examples][recommender][training]") {
  RecommenderConfig config = Short();
  const TemporaryDirectory first;
  Run(config, first.path(), 40);
  const std::string want = Remains(first.path());
  CHECK(want.find("history ") != std::string::npos);
  for (const std::uint32_t lanes : {1U, 3U}) {
    CAPTURE(lanes);
    config.lanes = lanes;
    config.partitions = lanes == 3 ? 64 : 4;
    const TemporaryDirectory other;
    Run(config, other.path(), 40);
    CHECK(Remains(other.path()) == want);
  }
  config.seed = 2;
  const TemporaryDirectory seeded;
  Run(config, seeded.path(), 40);
  CHECK(Remains(seeded.path()) != want);
}

TEST_CASE("a resumed training ends with the bits of one that never stopped",
          "[examples][recommender][training][resume]") {
  RecommenderConfig config = Short();
  config.epochs = 2;
  config.decay = 0.5F;
  const TemporaryDirectory whole;
  const RunResult want = Run(config, whole.path(), 130);
  const TemporaryDirectory parts;
  Run(config, parts.path(), 37);
  Run(config, parts.path(), 70, true);  // Over the end of the first epoch, after 93 steps.
  const RunResult got = Run(config, parts.path(), 23, true);
  CHECK(got.steps == 130);
  CHECK(Remains(parts.path()) == Remains(whole.path()));
  CHECK(ToJson(*got.ranking) == ToJson(*want.ranking));

  std::ostringstream says;
  const auto twice = TrainAndEvaluate({.config = config, .out = parts.path()}, says);
  CHECK(twice.status().code() == absl::StatusCode::kAlreadyExists);
  config.model.dim = 9;
  const auto other =
      TrainAndEvaluate({.config = config, .out = parts.path(), .resume = true}, says);
  CHECK(other.status().message() ==
        "resume: the checkpoint was made with 'dim 8', this training has 'dim 9'");
}

TEST_CASE("ratings are predicted better than by their mean", "[examples][recommender][training]") {
  RecommenderConfig config = QuickStart(5);
  config.data.min_rating = 0;
  config.model = {.dim = 8, .history = History::kOwn, .history_max = 20, .bias = true};
  config.loss = {.kind = LossKind::kSquared, .l2 = 0.05F};
  config.optimizer.rule = AdagradSpec{.learning_rate = 0.05F};
  const TemporaryDirectory directory;
  const RunResult trained = Run(config, directory.path());
  REQUIRE(trained.ratings.has_value());
  const Dataset data = Need(LoadDataset(config.data, OnBadLine::kFail));
  double squares = 0;
  for (const Interaction& i : data.test) {
    squares += std::pow(static_cast<double>(i.rating - data.mean_rating), 2);
  }
  CHECK(trained.ratings->count == data.test.size());
  CHECK(trained.ratings->rmse < 0.95 * std::sqrt(squares / static_cast<double>(data.test.size())));
}

TEST_CASE("workers that do not wait for one another learn as well",
          "[examples][recommender][training]") {
  RecommenderConfig config = QuickStart(4);
  config.workers = 2;
  config.step_mode = GENERATE(StepMode::kAsynchronous, StepMode::kBoundedStaleness);
  config.staleness = config.step_mode == StepMode::kBoundedStaleness ? 2 : 0;
  const TemporaryDirectory directory;
  const RunResult trained = Run(config, directory.path());
  CHECK(trained.ranking->metrics[1].recall > 0.08);  // Popularity has 0.0691.
}

TEST_CASE("a worker that fails ends the training of all", "[examples][recommender][training]") {
  RecommenderConfig config = Short();
  config.initializer = NormalSpec{.stddev = 0.1F};
  const Dataset data = Need(LoadDataset(config.data, OnBadLine::kFail));
  const auto cluster = Need(Cluster::Embedded({.step_mode = config.step_mode, .workers = 2}));
  // Somebody has made the table of items, with rows of another width.
  Need(cluster->CreateTable({.name = kItemTable, .dim = 3}).status());
  const auto refused = FactorTrainer::Make(config, data, *cluster, {});
  CHECK(refused.status().code() == absl::StatusCode::kAlreadyExists);
  const auto uneven = FactorTrainer::Make(config, data, *cluster, {.count = 3, .index = 0});
  CHECK(uneven.status().message() ==
        "2 workers in 3 processes: wanted an equal number of workers in each");
}

TEST_CASE("without a checkpoint there is no model", "[examples][recommender][training]") {
  const TemporaryDirectory directory;
  const RecommenderConfig config = QuickStart(1);
  const Dataset data = Need(LoadDataset(config.data, OnBadLine::kFail));
  const auto none = LoadSavedModel({.config = config, .out = directory.path()}, data);
  CHECK(none.status().code() == absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace longtail::examples::recommender
