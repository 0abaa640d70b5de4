// The program's work end to end, on the data that the project ships.
#include "examples/ctr/training_run.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "examples/ctr/small_training.h"

namespace longtail::examples {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

RunOptions MainJob(const std::string& out) {
  auto config = LoadTrainConfig(std::string(LONGTAIL_SOURCE_DIR) +
                                "/examples/ctr/configs/movielens-latest-small.json");
  REQUIRE(config.ok());
  RunOptions options{.config = *std::move(config), .out = out, .command_line = "test"};
  options.config.epochs = 1;
  return options;
}

TEST_CASE("the main job learns, and leaves a report, predictions and a checkpoint",
          "[examples][ctr][training_run]") {
  const test::TemporaryDirectory out;
  std::ostringstream terminal;

  const auto report = TrainAndReport(MainJob(out.path()), terminal);

  INFO(report.status().ToString());
  REQUIRE(report.ok());
  REQUIRE(report->splits.size() == 2);
  CHECK(report->splits[1].evaluation.overall.auc.value_or(0) > 0.65);
  CHECK(report->splits[1].evaluation.by_rarest.has_value());
  CHECK(report->splits[1].evaluation.by_field.has_value());
  CHECK(ReadAll(out.path() + "/report.html").find("<svg") != std::string::npos);
  CHECK(ReadAll(out.path() + "/report.json").find("\"splits\"") != std::string::npos);
  CHECK(ReadAll(out.path() + "/predictions.csv").rfind("example,label,probability\n0,", 0) == 0);
  CHECK(std::filesystem::exists(report->checkpoint_path + "/MANIFEST.json"));
  const std::string statistics = ReadAll(out.path() + "/statistics.json");
  CHECK(statistics.find("\"format\": \"longtail-statistics\"") != std::string::npos);
  // Written last when all was pulled that is pulled.
  CHECK(statistics.find("\"step\": 0,") == std::string::npos);
  CHECK(statistics.find("\"pulls\": 0,") == std::string::npos);
  CHECK(terminal.str().find("test, by how often training saw the rarest feature") !=
        std::string::npos);
}

TEST_CASE("a run that was stopped and resumed predicts what the whole run predicts",
          "[examples][ctr][training_run][resume]") {
  const test::TemporaryDirectory whole;
  const test::TemporaryDirectory parts;
  std::ostringstream terminal;
  REQUIRE(TrainAndReport(MainJob(whole.path()), terminal).ok());

  RunOptions options = MainJob(parts.path());
  options.stop_after = 60;
  REQUIRE(TrainAndReport(options, terminal).ok());
  CHECK_FALSE(std::filesystem::exists(parts.path() + "/predictions.csv"));
  options.stop_after = 0;
  options.resume = true;
  options.config.lanes = 3;
  options.config.partitions = 16;
  const auto resumed = TrainAndReport(options, terminal);
  INFO(resumed.status().ToString());
  REQUIRE(resumed.ok());

  CHECK(ReadAll(parts.path() + "/predictions.csv") == ReadAll(whole.path() + "/predictions.csv"));
}

TEST_CASE("a run on a device is resumed with the same bits, and says which device it is",
          "[examples][ctr][training_run][device]") {
  const test::TemporaryDirectory whole;
  const test::TemporaryDirectory parts;
  std::ostringstream terminal;
  const auto job = [](const std::string& out) {
    RunOptions options = MainJob(out);
    options.config.device = {.name = "cpu", .depth = 3, .exact_steps = 20};
    options.checkpoint_every = 50;  // Both pause there.
    return options;
  };
  const auto report = TrainAndReport(job(whole.path()), terminal);
  INFO(report.status().ToString());
  REQUIRE(report.ok());
  CHECK(report->splits[1].evaluation.overall.auc.value_or(0) > 0.65);
  CHECK(terminal.str().find("device: cpu\n") != std::string::npos);

  RunOptions options = job(parts.path());
  options.stop_after = 50;
  REQUIRE(TrainAndReport(options, terminal).ok());
  CHECK(terminal.str().find("graphs: ") == std::string::npos);
  options.stop_after = 0;
  options.resume = true;
  options.config.device.graph = true;  // Which changes no bit.
  const auto resumed = TrainAndReport(options, terminal);
  INFO(resumed.status().ToString());
  REQUIRE(resumed.ok());

  CHECK(terminal.str().find("\ngraphs: ") != std::string::npos);
  CHECK(ReadAll(parts.path() + "/predictions.csv") == ReadAll(whole.path() + "/predictions.csv"));
}

TEST_CASE("a second run into the same directory is refused unless it resumes",
          "[examples][ctr][training_run]") {
  const test::TemporaryDirectory out;
  std::ostringstream terminal;
  RunOptions options = MainJob(out.path());
  options.stop_after = 5;
  REQUIRE(TrainAndReport(options, terminal).ok());

  const auto again = TrainAndReport(options, terminal);

  CHECK(again.status().code() == absl::StatusCode::kAlreadyExists);
  options.resume = true;
  CHECK(TrainAndReport(options, terminal).ok());
}

TEST_CASE("a run says which file, line and column of its data is wrong",
          "[examples][ctr][training_run]") {
  const test::TemporaryDirectory out;
  std::ofstream(out.path() + "/schema.json")
      << R"({"format": "csv", "label": "y", "features": ["a"],
             "splits": {"train": {"files": ["d.csv"]}}})";
  std::ofstream(out.path() + "/d.csv") << "y,a\n1,x\nmaybe,x\n0,z\n";
  TrainConfig config;
  config.data.schema = out.path() + "/schema.json";
  config.model = {.name = "lr"};
  RunOptions options{.config = config, .out = out.path() + "/run", .command_line = "test"};
  std::ostringstream terminal;

  const auto failed = TrainAndReport(options, terminal);
  CHECK(failed.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(failed.status().ToString().find("d.csv:3:1: ") != std::string::npos);
  CHECK(failed.status().ToString().find("'maybe'") != std::string::npos);

  options.on_bad_line = OnBadLine::kSkip;
  const auto skipped = TrainAndReport(options, terminal);
  INFO(skipped.status().ToString());
  REQUIRE(skipped.ok());
  CHECK(skipped->samples_trained == 2);
}

TEST_CASE("a frequency field that the data lack is refused", "[examples][ctr][training_run]") {
  const test::TemporaryDirectory out;
  RunOptions options = MainJob(out.path());
  options.config.data.frequency_field = "colour";
  std::ostringstream terminal;

  const auto failed = TrainAndReport(options, terminal);

  CHECK(failed.status().message() ==
        "frequency_field 'colour': wanted one of user, movie, genre, tag, year");
}

}  // namespace
}  // namespace longtail::examples
