#include "examples/ctr/replica.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdio>

#include "examples/common/data/synthetic_criteo.h"
#include "examples/ctr/small_training.h"
#include "support/alloc_count.h"

namespace longtail::examples {
namespace {

TEST_CASE("a warm training step allocates next to nothing", "[examples][ctr][replica]") {
  if (!longtail::test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  TrainConfig config = test::SmallConfig();
  config.model.dropout = 0;
  config.backoff.own = GENERATE(OwnRow::kWaits, OwnRow::kIsAdded);
  config.step_mode = StepMode::kAsynchronous;
  test::SmallTraining training = test::Start(config);
  const SyntheticCriteo data(config.data.synthetic->options);
  Batch once;
  data.Generate(0, config.batch, once);
  const auto next = [&](Batch& batch) {
    batch = once;  // Into memory of the same size: no allocation.
    return absl::OkStatus();
  };
  REQUIRE(training.trainer->BeginEpoch(0, next).ok());
  for (int i = 0; i < 20; ++i) REQUIRE(training.trainer->Step().ok());

  const std::uint64_t before = longtail::test::AllocationCount();
  constexpr int kSteps = 100;
  bool all_ok = true;
  for (int i = 0; i < kSteps; ++i) all_ok = training.trainer->Step().ok() && all_ok;
  const std::uint64_t allocations = longtail::test::AllocationCount() - before;

  // One short list of micro-batch offsets; nothing that grows with the batch.
  CHECK(all_ok);
  CHECK(allocations <= 2 * kSteps);
}

TEST_CASE("training lowers the loss on examples of a known model", "[examples][ctr][replica]") {
  TrainConfig config = test::SmallConfig();
  config.workers = GENERATE(1U, 2U);
  config.step_mode =
      GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous, StepMode::kBoundedStaleness);
  if (config.step_mode == StepMode::kBoundedStaleness) config.staleness = 1;
  config.row_cache_mib = GENERATE(0U, 1U);
  if (config.row_cache_mib != 0 && config.step_mode != StepMode::kSynchronous) {
    config.row_cache_steps = 2;
  }
  CAPTURE(config.workers, config.step_mode, config.row_cache_mib);
  test::SmallTraining training = test::Start(config);
  SyntheticSource source(config.data.synthetic->options, 0, 1 << 16);
  const std::size_t micro_batch = config.batch / config.workers;
  REQUIRE(
      training.trainer->BeginEpoch(0, [&](Batch& b) { return source.Next(micro_batch, b); }).ok());
  double first = 0;
  double last = 0;
  for (int i = 0; i < 400; ++i) {
    const auto step = training.trainer->Step();
    REQUIRE(step.ok());
    if (i < 50) first += step->loss_sum;
    if (i >= 350) last += step->loss_sum;
  }

  CHECK(last < 0.97 * first);
}

TEST_CASE("training uses rows that a worker kept, scoring does not", "[examples][ctr][replica]") {
  TrainConfig config = test::SmallConfig();
  config.workers = 2;
  config.step_mode = StepMode::kAsynchronous;
  config.row_cache_mib = 1;
  config.row_cache_steps = 3;
  test::SmallTraining training = test::Start(config);
  training.Train(config, 0, 0, 100);
  const WorkerStatistics statistics = training.trainer->statistics();
  CHECK(statistics.cache_rows_served > statistics.cache_rows_missed / 4);
  CHECK(statistics.cache_rows_missed > statistics.cache_rows_served / 4);
  Batch batch;
  SyntheticSource(config.data.synthetic->options, 0, 32).Next(32, batch).IgnoreError();
  CtrTrainer::Scores scores;

  REQUIRE(training.trainer->Score(batch, std::nullopt, scores).ok());

  CHECK(training.trainer->statistics() == statistics);
}

TEST_CASE("training counts how old the rows were that it used", "[examples][ctr][replica]") {
  TrainConfig config = test::SmallConfig();
  config.workers = 2;
  config.prefetch = GENERATE(0U, 1U);
  config.step_mode =
      GENERATE(StepMode::kAsynchronous, StepMode::kSynchronous, StepMode::kBoundedStaleness);
  config.staleness = config.step_mode == StepMode::kBoundedStaleness ? 1 : 0;
  CAPTURE(config.prefetch, config.step_mode);
  test::SmallTraining training = test::Start(config);
  constexpr std::uint64_t kSteps = 20;
  training.Train(config, 0, 0, kSteps);
  Batch batch;
  SyntheticSource(config.data.synthetic->options, 0, 32).Next(32, batch).IgnoreError();
  CtrTrainer::Scores scores;
  REQUIRE(training.trainer->Score(batch, std::nullopt, scores).ok());

  const auto pulls = training.trainer->statistics().pulls_by_staleness;

  // The first step's rows are pulled in it; those of one step more than there were are on hand.
  const std::uint64_t all = 2 * (kSteps + 1);
  if (config.step_mode == StepMode::kAsynchronous) {
    CHECK(training.trainer->statistics() == WorkerStatistics{});
  } else if (config.step_mode == StepMode::kSynchronous) {
    CHECK(pulls[config.prefetch] == (config.prefetch == 1 ? all - 2 : all));
    CHECK(pulls[0] + pulls[1] == all);
  } else {
    CHECK(pulls[0] + pulls[1] + pulls[2] == all);
    CHECK(pulls[config.prefetch + 1] <= all - 2);
  }
}

TEST_CASE("a micro-batch without examples is a step all the same", "[examples][ctr][replica]") {
  TrainConfig config = test::SmallConfig();
  config.workers = 2;
  test::SmallTraining training = test::Start(config);
  SyntheticSource source(config.data.synthetic->options, 0, config.batch / 2 + 5);
  REQUIRE(
      training.trainer->BeginEpoch(0, [&](Batch& b) { return source.Next(config.batch / 2, b); })
          .ok());
  const auto full = training.trainer->Step();
  const auto end = training.trainer->Step();

  REQUIRE(full.ok());
  CHECK(full->size == config.batch / 2 + 5);
  REQUIRE(end.ok());
  CHECK(end->size == 0);
  CHECK(training.trainer->Flush().ok());
}

}  // namespace
}  // namespace longtail::examples
