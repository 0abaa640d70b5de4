// What the trainer reads ahead: when, how far, and what becomes of an error.
#include <atomic>
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "examples/common/data/synthetic_criteo.h"
#include "examples/ctr/small_training.h"

namespace longtail::examples::test {
namespace {

constexpr std::uint64_t kExamples = 1 << 16;

TrainConfig Config() {
  TrainConfig config = SmallConfig();
  config.workers = GENERATE(1U, 2U);
  config.prefetch = GENERATE(0U, 1U);
  return config;
}

TEST_CASE("a step reads the batch after the next one, and nothing is read between steps",
          "[examples][ctr][read_ahead]") {
  const TrainConfig config = Config();
  CAPTURE(config.workers, config.prefetch);
  SmallTraining training = Start(config);
  SyntheticSource source(config.data.synthetic->options, 0, kExamples);
  const std::size_t micro_batch = config.batch / config.workers;
  std::atomic<bool> may_read = true;
  std::atomic<bool> read_between = false;
  std::atomic<std::uint64_t> batches = 0;
  const auto next = [&](Batch& batch) {
    if (!may_read) read_between = true;
    ++batches;
    return source.Next(micro_batch, batch);
  };

  REQUIRE(training.trainer->BeginEpoch(0, next).ok());
  CHECK(batches == config.workers);
  for (std::uint64_t step = 1; step <= 30; ++step) {
    may_read = true;
    REQUIRE(training.trainer->Step().ok());
    may_read = false;
    REQUIRE(batches == (step + 2) * config.workers);
  }
  CHECK_FALSE(read_between);
}

TEST_CASE("what cannot be read is the error of the step that was to pull it",
          "[examples][ctr][read_ahead]") {
  TrainConfig config = Config();
  CAPTURE(config.workers, config.prefetch);
  const std::uint64_t bad = GENERATE(0U, 1U, 2U, 5U);  // Which global batch, from 0.
  CAPTURE(bad);
  SmallTraining training = Start(config);
  SyntheticSource source(config.data.synthetic->options, 0, kExamples);
  const std::size_t micro_batch = config.batch / config.workers;
  std::uint64_t given = 0;
  bool is_mended = false;
  const auto next = [&](Batch& batch) -> absl::Status {
    if (given / config.workers == bad && !is_mended) {
      return absl::DataLossError(absl::StrCat("batch ", bad));
    }
    ++given;
    return source.Next(micro_batch, batch);
  };

  absl::Status status = training.trainer->BeginEpoch(0, next);
  std::uint64_t steps = 0;
  while (status.ok()) {
    status = training.trainer->Step().status();
    if (status.ok()) ++steps;
  }

  CHECK(status.message() == absl::StrCat("batch ", bad));
  CHECK(steps == (bad == 0 ? 0 : bad - 1));
  CHECK(training.trainer->step() == steps);
  if (bad == 0) return;

  is_mended = true;  // The pass can be begun anew.
  REQUIRE(training.trainer->BeginEpoch(1, next).ok());
  const auto again = training.trainer->Step();
  REQUIRE(again.ok());
  CHECK(again->step == steps + 1);
}

TEST_CASE("a step that could not read goes on when it is asked for again",
          "[examples][ctr][read_ahead]") {
  const TrainConfig config = Config();
  CAPTURE(config.workers, config.prefetch);
  constexpr std::uint64_t kSteps = 6;
  SmallTraining whole = Start(config);
  whole.Train(config, 0, 0, kSteps);

  SmallTraining training = Start(config);
  SyntheticSource source(config.data.synthetic->options, 0, 1 << 20);
  const std::size_t micro_batch = config.batch / config.workers;
  std::uint64_t calls = 0;
  const auto next = [&](Batch& batch) -> absl::Status {
    // The first micro-batch of a step, so that none of it is lost.
    if (calls++ == 4 * config.workers) return absl::DeadlineExceededError("late");
    return source.Next(micro_batch, batch);
  };
  REQUIRE(training.trainer->BeginEpoch(0, next).ok());
  std::uint64_t refusals = 0;
  while (training.trainer->step() < kSteps) {
    const auto step = training.trainer->Step();
    if (step.ok()) continue;
    REQUIRE(step.status().message() == "late");
    CHECK(training.trainer->step() == 3);
    ++refusals;
  }
  REQUIRE(training.trainer->Flush().ok());

  CHECK(refusals == 1);
  CHECK(training.State() == whole.State());
}

}  // namespace
}  // namespace longtail::examples::test
