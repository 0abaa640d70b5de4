#include "examples/ctr/rarest_feature.h"

#include <catch2/catch.hpp>
#include <vector>

#include "examples/common/metrics/evaluator.h"

namespace longtail::examples {
namespace {

TEST_CASE("the rarest feature of an example, and of one field of it",
          "[examples][ctr][rarest_feature]") {
  Batch batch;
  batch.size = 3;
  batch.field_count = 2;
  batch.keys = {1, 2, 3, 4};
  batch.offsets = {0, 1, 3, 3, 4, 4, 4};
  const std::vector<std::uint32_t> inverse = {3, 1, 0, 2};
  const std::vector<std::uint32_t> counts = {5, 9, 0, 7};
  std::vector<std::uint32_t> rarest;

  FindRarest(batch, inverse, counts, rarest);
  CHECK(rarest == std::vector<std::uint32_t>{5, 0, kCountAbsent});
  FindRarestOfField(batch, 0, inverse, counts, rarest);
  CHECK(rarest == std::vector<std::uint32_t>{7, kCountAbsent, kCountAbsent});
  FindRarestOfField(batch, 1, inverse, counts, rarest);
  CHECK(rarest == std::vector<std::uint32_t>{5, 0, kCountAbsent});
}

}  // namespace
}  // namespace longtail::examples
