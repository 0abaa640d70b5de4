// Method: the same training with other numbers of lanes and partitions, and other timing; in
// synchronous mode the table's hash and every byte of the dense parameters must be equal.
#include <catch2/catch.hpp>
#include <string>

#include "examples/ctr/small_training.h"

namespace longtail::examples::test {
namespace {

constexpr std::uint64_t kSteps = 12;

std::string StateAfter(const TrainConfig& config) {
  SmallTraining training = Start(config);
  training.Train(config, 0, 0, kSteps);
  return training.State();
}

TEST_CASE("a synchronous training gives the same bits for any number of lanes and partitions",
          "[examples][ctr][bit_identity]") {
  TrainConfig config = SmallConfig();
  config.workers = GENERATE(1U, 2U);
  config.prefetch = GENERATE(0U, 1U);
  CAPTURE(config.workers, config.prefetch);
  config.lanes = 1;
  config.partitions = 1;
  const std::string want = StateAfter(config);

  for (const std::uint32_t lanes : {1U, 2U, 4U}) {
    for (const std::uint32_t partitions : {1U, 8U, 64U}) {
      if (partitions < lanes) continue;  // Refused: a lane without a partition has nothing to do.
      CAPTURE(lanes, partitions);
      config.lanes = lanes;
      config.partitions = partitions;
      CHECK(StateAfter(config) == want);
    }
  }
}

TEST_CASE("another seed gives another training", "[examples][ctr][bit_identity]") {
  TrainConfig config = SmallConfig();
  const std::string one = StateAfter(config);
  config.seed = 4;

  CHECK(StateAfter(config) != one);
}

TEST_CASE("rows pulled ahead are one step old, rows pulled on time are not",
          "[examples][ctr][bit_identity]") {
  TrainConfig config = SmallConfig();
  config.prefetch = 0;
  const std::string exact = StateAfter(config);
  config.prefetch = 1;

  CHECK(StateAfter(config) != exact);
}

}  // namespace
}  // namespace longtail::examples::test
