#include "examples/ctr/scoring.h"

#include <catch2/catch.hpp>
#include <sstream>
#include <string>

#include "examples/common/data/synthetic_criteo.h"
#include "examples/ctr/small_training.h"

namespace longtail::examples {
namespace {

TEST_CASE("scoring measures every example once and writes nothing into the tables",
          "[examples][ctr][scoring]") {
  const TrainConfig config = test::SmallConfig();
  test::SmallTraining training = test::Start(config);
  training.Train(config, 0, 0, 20);
  const std::string before = training.State();
  BatchPipeline batches(
      std::make_unique<SyntheticSource>(config.data.synthetic->options, 5000, 150),
      {.batch_size = 64});
  std::ostringstream predictions;

  const auto evaluation =
      ScoreAll(*training.trainer, batches, {.frequency_field = 1, .predictions = &predictions});

  INFO(evaluation.status().ToString());
  REQUIRE(evaluation.ok());
  CHECK(evaluation->overall.example_count == 150);
  std::uint64_t in_buckets = evaluation->by_field->absent_count;
  for (const ClassificationMetrics& bucket : evaluation->by_field->buckets) {
    in_buckets += bucket.example_count;
  }
  CHECK(in_buckets == 150);
  const std::string text = predictions.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 150);
  CHECK(text.find("\n149,") != std::string::npos);
  CHECK(training.State() == before);
}

}  // namespace
}  // namespace longtail::examples
