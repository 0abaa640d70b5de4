#include "examples/ctr/saved_model.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "examples/ctr/scoring.h"
#include "examples/ctr/small_training.h"
#include "examples/ctr/training_run.h"

namespace longtail::examples {
namespace {

RunOptions SyntheticRun(const std::string& out) {
  RunOptions options{.config = test::SmallConfig(), .out = out, .command_line = "test"};
  options.config.data.synthetic->train = 20000;
  options.config.data.synthetic->test = 3000;
  options.config.data.test = "test";
  return options;
}

TEST_CASE("a saved model scores as it did when it was trained, in any format of rows",
          "[examples][ctr][saved_model]") {
  const test::TemporaryDirectory out;
  RunOptions options = SyntheticRun(out.path());
  if (GENERATE(false, true)) {
    options.config.table.format.weights = WeightFormat::kBfloat16;
    options.config.table.tail.below = 3;
  }
  std::ostringstream terminal;
  const auto report = TrainAndReport(options, terminal);
  INFO(report.status().ToString());
  REQUIRE(report.ok());

  const auto model = LoadSavedModel(out.path() + "/checkpoints", options.config, OnBadLine::kFail);
  INFO(model.status().ToString());
  REQUIRE(model.ok());
  const auto batches = model->data->Score("test", 64);
  REQUIRE(batches.ok());
  const auto evaluation = ScoreAll(*model->trainer, **batches, {});

  REQUIRE(evaluation.ok());
  CHECK(evaluation->overall == report->splits.back().evaluation.overall);
  CHECK(evaluation->by_rarest == report->splits.back().evaluation.by_rarest);
}

TEST_CASE("settings of rows that do not go together are refused by name",
          "[examples][ctr][saved_model]") {
  const test::TemporaryDirectory out;
  RunOptions options = SyntheticRun(out.path());
  options.config.table.tail = {.below = 3, .rowwise_state = true};  // Its rule is Adam.
  std::ostringstream terminal;

  const auto report = TrainAndReport(options, terminal);

  CHECK(report.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(report.status().message()).find("rowwise_state") != std::string::npos);
}

TEST_CASE("a directory without a checkpoint, and another config, are refused",
          "[examples][ctr][saved_model]") {
  const test::TemporaryDirectory out;
  RunOptions options = SyntheticRun(out.path());
  const auto none = LoadSavedModel(out.path() + "/checkpoints", options.config, OnBadLine::kFail);
  CHECK(none.status().code() == absl::StatusCode::kNotFound);
  std::ostringstream terminal;
  REQUIRE(TrainAndReport(options, terminal).ok());
  options.config.model.dim = 5;

  const auto other = LoadSavedModel(out.path() + "/checkpoints", options.config, OnBadLine::kFail);

  CHECK(other.status().code() == absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace longtail::examples
