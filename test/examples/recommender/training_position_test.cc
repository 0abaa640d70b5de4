#include "examples/recommender/training_position.h"

#include <catch2/catch.hpp>

#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

TEST_CASE("a position is read back", "[examples][recommender][position]") {
  CHECK(test::Need(StepOf(StateAt(1234567890123, "a 1\nb 2\n"), "a 1\nb 2\n")) == 1234567890123);
}

TEST_CASE("a position of something else is refused", "[examples][recommender][position]") {
  TrainerState state = StateAt(5, "dim 64\nseed 1\n");
  CHECK(StepOf(state, "dim 32\nseed 1\n").status().message() ==
        "resume: the checkpoint was made with 'dim 64', this training has 'dim 32'");
  state["recommender.steps"] = "5x";
  CHECK(StepOf(state, "dim 64\nseed 1\n").status().message() ==
        "checkpoint: steps '5x': wanted a whole number");
  CHECK(StepOf({}, "").status().code() == absl::StatusCode::kDataLoss);
}

TEST_CASE("in a store that is not there is no checkpoint", "[examples][recommender][position]") {
  CHECK_FALSE(test::Need(NewestIn("/nowhere/at/all", {})).has_value());
}

}  // namespace
}  // namespace longtail::examples::recommender
