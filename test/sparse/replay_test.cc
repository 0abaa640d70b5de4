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
    table.Push(keys, counts, test::Floats(rng, n * spec.dim, -1, 1), step, rng.Uniform(0.5F, 1));
    table.EndSteps(step + 1);
    if (rng.Below(5) == 0) table.Erase(keys.front());
  }
  return table.ContentHash();
}

TEST_CASE("a sequence of operations gives the bytes it always gave", "[sparse][table]") {
  const std::vector<std::uint64_t> want = {
      0x9cf7371d3dc58ef9, 0xabd1db595392073d, 0xd279e7a4a3bdee22, 0x6ae8c3f7fe026a70,
      0x5079fb16d2f9e359, 0x882b0a2aa59ed8b9, 0xf5b4a8a7fb0e9aa4};
  for (std::size_t number = 0; number < want.size(); ++number) {
    CAPTURE(number);
    const TableSpec spec = SpecNumber(number);
    REQUIRE(Validate(spec).ok());
    CHECK(HashAfterReplay(spec) == want[number]);
  }
}

}  // namespace
}  // namespace longtail::sparse
