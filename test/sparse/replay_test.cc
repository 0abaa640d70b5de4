// A sequence of operations gives the bytes it always gave: in another process, by another compiler,
// on another machine. The hashes are of this sequence and may change only with a format's meaning.
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

TableSpec SpecNumber(std::size_t number) {
  TableSpec spec = test::SpecOf(test::Rules().at(number), test::Initializers().at(number % 4), 9);
  if (number == 0) {
    spec.tail = {.below = 4, .format = {.weights = WeightFormat::kShared}, .bucket_bits = 3};
  } else if (number == 3) {
    spec.format = {.weights = WeightFormat::kBfloat16, .state = StateFormat::kBfloat16};
    spec.tail = {.below = 5, .rowwise_state = true};
    spec.optimizer.frequency = {.rate_power = 0.5F,
                                .decay_power = -0.75F,
                                .cow_clip = 0.5F,
                                .idle_decay = 0.001F,
                                .group_lasso = 0.01F};
    spec.eviction = {.idle_steps = 40, .min_score = 2, .half_life = 15, .sweep_steps = 7};
  } else if (number == 4) {
    spec.format = {.weights = WeightFormat::kInt8};
  } else if (number == 5) {
    spec.format = {.weights = WeightFormat::kFloat16, .state = StateFormat::kBfloat16};
    spec.eviction = {.budget_bytes = 66'000, .budget_policy = BudgetPolicy::kEvictLowest};
  }
  return spec;
}

std::uint64_t HashAfterReplay(const TableSpec& spec) {
  Table table(spec);
  Rng rng(6);
  for (std::uint32_t step = 0; step < 120; ++step) {
    const std::size_t n = 1 + rng.Below(60);
    const std::vector<Key> keys = test::Keys(rng, n, 2000);
    const std::vector<std::uint32_t> counts = test::Counts(rng, n, 3);
    const std::vector<float> gradients = test::Floats(rng, n * spec.dim, -1, 1);
    table.Push(keys, counts, gradients, step, rng.Uniform(0.5F, 1));
    table.EndSteps(step + 1);
    if (rng.Below(5) == 0) table.Erase(keys.front());
  }
  return table.ContentHash();
}

TEST_CASE("a sequence of operations gives the bytes it always gave", "[sparse][table]") {
  const std::vector<std::uint64_t> want = {
      0x91345738ff4c66f9, 0x8a785fa39e555ed3, 0x5344a27e93fee1e8, 0xc7ee3d7979a54275,
      0x989aebbadb4d3174, 0xd185e388c4fba16a, 0x98bf58395ec40e8f};
  for (std::size_t number = 0; number < want.size(); ++number) {
    CAPTURE(number);
    const TableSpec spec = SpecNumber(number);
    REQUIRE(Validate(spec).ok());
    CHECK(HashAfterReplay(spec) == want[number]);
  }
}

}  // namespace
}  // namespace longtail::sparse
