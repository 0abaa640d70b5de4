// Method: workers train with whole-number gradients and a rate of 1, so every row is exactly its
// start less the sum of what was pushed, in any order. The network loses, repeats, delays, reorders
// and cuts for 600 steps, each seed with its own subset of faults, and heals. Replay a seed that
// fails with: longtail_sim --seed N
#include <catch2/catch.hpp>
#include <cstdint>

#include "sim/sim_cluster.h"

namespace longtail::sim {
namespace {

constexpr std::uint64_t kSeeds = 500;

TEST_CASE("each push counts exactly once on a network that loses and repeats", "[sim]") {
  const Carriage carriage = GENERATE(Carriage::kByPointer, Carriage::kByBytes);
  std::uint64_t resent = 0;
  std::uint64_t timed_out = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed, carriage == Carriage::kByBytes);
    const SimResult result = Simulate(seed, carriage);
    REQUIRE(result.wrong == "");
    resent += result.resent;
    timed_out += result.timed_out;
  }
  CHECK(resent > kSeeds);  // The faults did bite.
  CHECK(timed_out > 0);
}

TEST_CASE("the same seed gives the same deliveries", "[sim]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 50));
  CAPTURE(seed);

  const SimResult result = Simulate(seed, Carriage::kByBytes);

  CHECK(result.trace == Simulate(seed, Carriage::kByBytes).trace);
  CHECK(result.trace != Simulate(seed + 1, Carriage::kByBytes).trace);
}

}  // namespace
}  // namespace longtail::sim
