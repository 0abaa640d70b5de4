// Synchronous training gives the same bits for any number of lanes and partitions.
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "server/training.h"

namespace longtail {
namespace {

using test::EmbeddedTrainingHashes;

TEST_CASE("tables are bit-identical for any number of lanes and partitions", "[server][step]") {
  const std::vector<std::uint64_t> want = EmbeddedTrainingHashes(1, 1);
  CHECK(want[0] != want[1]);
  for (const std::uint32_t partitions : {1U, 8U, 64U}) {
    for (const std::uint32_t lanes : {1U, 2U, 4U}) {
      if (lanes > partitions) continue;
      CAPTURE(lanes, partitions);
      CHECK(EmbeddedTrainingHashes(lanes, partitions) == want);
    }
  }
}

}  // namespace
}  // namespace longtail
