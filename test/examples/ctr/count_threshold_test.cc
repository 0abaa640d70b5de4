#include "examples/ctr/count_threshold.h"

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "examples/common/data/synthetic_criteo.h"
#include "examples/ctr/backoff.h"
#include "examples/ctr/saved_model.h"
#include "examples/ctr/small_training.h"
#include "examples/ctr/training_run.h"

namespace longtail::examples {
namespace {

constexpr std::uint64_t kExamples = 500;

SyntheticOptions Options() {
  return {.field_count = 3, .ids_per_field = 90, .missing_rate = 0.125};
}

std::unique_ptr<BatchPipeline> Examples() {
  return std::make_unique<BatchPipeline>(std::make_unique<SyntheticSource>(Options(), 0, kExamples),
                                         PipelineOptions{.batch_size = 7});
}

RunOptions RunWithThreshold(const std::string& out) {
  RunOptions options{.config = test::SmallConfig(), .out = out, .command_line = "test"};
  options.config.data.synthetic->train = 6400;
  options.config.data.synthetic->test = 3000;
  options.config.data.test = "test";
  options.config.backoff.below = 0;
  options.config.data.min_count = 10;
  return options;
}

TEST_CASE("features below the threshold are their field's shared key, all others themselves",
          "[examples][ctr][count_threshold]") {
  const auto threshold = CountThreshold::Make(10, *Examples());
  REQUIRE(threshold.ok());
  Batch all;
  SyntheticCriteo(Options()).Generate(0, kExamples, all);
  std::map<Key, std::uint32_t> seen;
  for (const Key key : all.keys) ++seen[key];
  // Some that were counted, and some after them that were not.
  Batch batch;
  SyntheticCriteo(Options()).Generate(kExamples - 50, 200, batch);
  const Batch before = batch;
  std::vector<std::uint32_t> counts;

  threshold->CountsOf(batch, counts);
  threshold->Apply(batch);

  std::size_t kept = 0;
  REQUIRE(counts.size() == batch.keys.size());
  for (std::size_t place = 0; place + 1 < batch.offsets.size(); ++place) {
    const auto field = static_cast<std::uint32_t>(place % batch.field_count);
    for (std::uint32_t i = batch.offsets[place]; i < batch.offsets[place + 1]; ++i) {
      const Key was = before.keys[i];
      CHECK(counts[i] == seen[was]);
      CHECK(batch.keys[i] == (seen[was] < 10 ? BackoffKey(field) : was));
      kept += seen[was] < 10 ? 0 : 1;
    }
  }
  CHECK(kept > 50);
  CHECK(kept + 50 < batch.keys.size());
}

TEST_CASE("a training with a threshold has fewer rows and the same examples in each bucket",
          "[examples][ctr][count_threshold]") {
  const test::TemporaryDirectory cut_out;
  const test::TemporaryDirectory whole_out;
  RunOptions options = RunWithThreshold(cut_out.path());
  std::ostringstream terminal;
  const auto cut = TrainAndReport(options, terminal);
  options.out = whole_out.path();
  options.config.data.min_count = 0;
  const auto whole = TrainAndReport(options, terminal);
  INFO(cut.status().ToString());
  REQUIRE(cut.ok());
  REQUIRE(whole.ok());

  const auto rows = [](const RunReport& report) {
    std::uint64_t sum = 0;
    for (const BucketSize& bucket : report.rows_by_bucket) sum += bucket.row_count;
    return sum;
  };
  CHECK(rows(*cut) < rows(*whole));
  const auto& cut_view = cut->splits.back().evaluation.by_rarest;
  const auto& whole_view = whole->splits.back().evaluation.by_rarest;
  REQUIRE(cut_view.has_value());
  REQUIRE(whole_view.has_value());
  CHECK(whole_view->buckets[1].example_count > 0);  // Features seen once.
  for (std::size_t i = 0; i < kCountBucketCount; ++i) {
    CHECK(cut_view->buckets[i].example_count == whole_view->buckets[i].example_count);
    CHECK(cut_view->buckets[i].positive_count == whole_view->buckets[i].positive_count);
  }
}

TEST_CASE("a saved model with a threshold is refused, as its counts are not saved",
          "[examples][ctr][count_threshold]") {
  const test::TemporaryDirectory out;

  const auto model = LoadSavedModel(out.path() + "/checkpoints",
                                    RunWithThreshold(out.path()).config, OnBadLine::kFail);

  CHECK(model.status().code() == absl::StatusCode::kUnimplemented);
  CHECK(std::string(model.status().message()).rfind("data.min_count 10: ", 0) == 0);
}

}  // namespace
}  // namespace longtail::examples
