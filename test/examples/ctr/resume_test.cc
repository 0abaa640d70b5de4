// Method: a training that is saved, dropped and resumed must end with the same bits as one that
// never stopped, also when it resumes with other numbers of lanes and partitions.
#include <catch2/catch.hpp>
#include <string>

#include "examples/ctr/small_training.h"

namespace longtail::examples::test {
namespace {

constexpr std::uint64_t kStepsBefore = 7;
constexpr std::uint64_t kStepsAfter = 6;

TEST_CASE("a resumed training ends with the bits of one that never stopped",
          "[examples][ctr][resume]") {
  TrainConfig config = SmallConfig();
  config.workers = GENERATE(1U, 2U);
  config.prefetch = GENERATE(0U, 1U);
  config.backoff = GENERATE(BackoffSpec{}, BackoffSpec{.below = 2},
                            BackoffSpec{.below = 2, .own = OwnRow::kIsAdded});
  config.model.batch_norm = GENERATE(false, true);
  CAPTURE(config.workers, config.prefetch, config.backoff.below, config.model.batch_norm);
  SmallTraining whole = Start(config);
  whole.Train(config, 0, 0, kStepsBefore + kStepsAfter);
  const std::string want = whole.State();

  const TemporaryDirectory store;
  {
    SmallTraining first = Start(config, store.path());
    first.Train(config, 0, 0, kStepsBefore);
    const auto saved = first.cluster->Checkpoint("half", first.trainer->Save());
    INFO(saved.status().ToString());
    REQUIRE(saved.ok());
  }
  for (const std::uint32_t lanes : {1U, 4U}) {
    for (const std::uint32_t partitions : {8U, 64U}) {
      CAPTURE(lanes, partitions);
      config.lanes = lanes;
      config.partitions = partitions;
      SmallTraining second = Resume(config, store.path(), "half");
      CHECK(second.trainer->step() == kStepsBefore);
      second.Train(config, 0, kStepsBefore * config.batch, kStepsAfter);
      CHECK(second.State() == want);
    }
  }
}

TEST_CASE("a trainer refuses a state that lacks a part or is of another model",
          "[examples][ctr][resume]") {
  const TrainConfig config = SmallConfig();
  SmallTraining training = Start(config);
  training.Train(config, 0, 0, 2);
  TrainerState state = training.trainer->Save();
  TrainConfig wider = config;
  wider.model.hidden = {9};
  SmallTraining other = Start(wider);

  CHECK(other.trainer->Restore(state).code() == absl::StatusCode::kFailedPrecondition);
  state.erase("dense.optimizer");
  const absl::Status missing = training.trainer->Restore(state);
  CHECK(missing.code() == absl::StatusCode::kDataLoss);
  CHECK(missing.message() == "trainer state without 'dense.optimizer'");
}

}  // namespace
}  // namespace longtail::examples::test
