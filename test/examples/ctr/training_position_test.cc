#include "examples/ctr/training_position.h"

#include <catch2/catch.hpp>

namespace longtail::examples {
namespace {

TEST_CASE("a position survives its checkpoint", "[examples][ctr][training_position]") {
  const TrainingPosition position{.epoch = 2, .examples = 640, .samples_trained = 5000};
  TrainerState state;
  SavePosition(position, "batch 64\nseed 1\n", state);

  const auto loaded = LoadPosition(state, "batch 64\nseed 1\n");

  REQUIRE(loaded.ok());
  CHECK(*loaded == position);
}

TEST_CASE("a training with other settings does not resume, and says which differs",
          "[examples][ctr][training_position]") {
  TrainerState state;
  SavePosition({}, "batch 64\nseed 1\n", state);

  const auto loaded = LoadPosition(state, "batch 64\nseed 2\n");

  CHECK(loaded.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(loaded.status().message() ==
        "resume: the checkpoint was made with 'seed 1', this training has 'seed 2'");
}

TEST_CASE("a checkpoint of something else is refused", "[examples][ctr][training_position]") {
  TrainerState state;
  CHECK(LoadPosition(state, "").status().code() == absl::StatusCode::kDataLoss);
  SavePosition({}, "", state);
  state["position"] = "one two";
  CHECK(LoadPosition(state, "").status().code() == absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace longtail::examples
