// Method: a training whose checkpoints lie in a store of their own, in Ceph as well as in a
// directory, is stopped, goes on and is applied by the store's address alone.
#include <catch2/catch.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "examples/ctr/saved_model.h"
#include "examples/ctr/scoring.h"
#include "examples/ctr/small_training.h"
#include "examples/ctr/training_run.h"
#include "support/store_place.h"

namespace longtail::examples {
namespace {

using longtail::test::StorePlace;

TEST_CASE("a training goes on from its store, and its model is applied from there",
          "[examples][ctr][resume]") {
  const auto place = StorePlace::Make(LONGTAIL_TEST_STORE);
  if (place == nullptr) return;
  const test::TemporaryDirectory out;
  RunOptions options{.config = test::SmallConfig(),
                     .store = place->address(),
                     .out = out.path(),
                     .stop_after = 20};
  options.config.data.synthetic->train = 20000;
  options.config.data.synthetic->test = 3000;
  options.config.data.test = "test";
  std::ostringstream terminal;
  REQUIRE(TrainAndReport(options, terminal).ok());
  const auto again = TrainAndReport(options, terminal);
  options.stop_after = 0;
  options.resume = true;

  const auto report = TrainAndReport(options, terminal);

  INFO(report.status().ToString());
  REQUIRE(report.ok());
  CHECK(again.status().code() == absl::StatusCode::kAlreadyExists);
  const CheckpointName half{.store = place->address(), .name = "step-00000020"};
  CHECK(terminal.str().find("Resumed from " + AddressOf(half) + " at step 20.") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(out.path() + "/checkpoints"));
  const auto model = LoadSavedModel(place->address(), options.config, OnBadLine::kFail);
  INFO(model.status().ToString());
  REQUIRE(model.ok());
  const auto batches = model->data->Score("test", 64);
  REQUIRE(batches.ok());
  const auto evaluation = ScoreAll(*model->trainer, **batches, {});
  REQUIRE(evaluation.ok());
  CHECK(evaluation->overall == report->splits.back().evaluation.overall);
}

}  // namespace
}  // namespace longtail::examples
