// Any spec at all is either refused by a sentence that names a field, or makes a table that works.
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "sparse/specs.h"
#include "sparse/table.h"
#include "support/gen.h"

namespace longtail::sparse {
namespace {

// Most often sensible, now and then anything.
float AnyFloat(Rng& rng, float low, float high) {
  switch (rng.Below(80)) {
    case 0:
      return std::numeric_limits<float>::quiet_NaN();
    case 1:
      return std::numeric_limits<float>::infinity();
    case 2:
      return -1;
    case 3:
      return 1e30F;
    case 4:
      return 0;
    default:
      return rng.Uniform(low, high);
  }
}

std::uint32_t AnyNumber(Rng& rng, std::uint32_t usual) {
  switch (rng.Below(60)) {
    case 0:
      return 0xFFFFFFFF;
    case 1:
      return 0;
    default:
      return static_cast<std::uint32_t>(rng.Below(usual));
  }
}

TableSpec AnySpec(Rng& rng) {
  TableSpec spec = test::SpecOf(test::Rules().at(rng.Below(7)),
                                test::Initializers().at(rng.Below(4)), AnyNumber(rng, 40));
  OptimizerSpec& optimizer = spec.optimizer;
  optimizer.weight_decay = AnyFloat(rng, 0, 1);
  optimizer.gradient_clip = AnyFloat(rng, 0, 1);
  optimizer.frequency.rate_power = AnyFloat(rng, 0, 1) < 0.5F ? 0.5F : AnyFloat(rng, 0, 1);
  optimizer.frequency.rate_from = AnyFloat(rng, 1, 3);
  optimizer.frequency.decay_power = rng.Below(10) == 0 ? AnyFloat(rng, -1, 1) : 0.25F;
  optimizer.frequency.cow_clip = AnyFloat(rng, 0, 1);
  optimizer.frequency.cow_clip_floor = AnyFloat(rng, 0, 1);
  optimizer.frequency.idle_decay = AnyFloat(rng, 0, 0.5F);
  optimizer.frequency.group_lasso = AnyFloat(rng, 0, 0.5F);
  spec.format = {.weights = static_cast<WeightFormat>(rng.Below(rng.Below(20) == 0 ? 6 : 4)),
                 .state = static_cast<StateFormat>(rng.Below(rng.Below(20) == 0 ? 4 : 2))};
  spec.tail = {.below = AnyNumber(rng, 9),
               .format = {.weights = static_cast<WeightFormat>(rng.Below(4)),
                          .state = static_cast<StateFormat>(rng.Below(2))},
               .rowwise_state = rng.Below(12) == 0};
  if (rng.Below(4) == 0) {
    spec.tail.format.weights = WeightFormat::kShared;
    spec.tail.field_bits = AnyNumber(rng, 17);
    spec.tail.bucket_bits = AnyNumber(rng, 17);
  }
  spec.eviction = {.idle_steps = AnyNumber(rng, 90),
                   .min_score = AnyNumber(rng, 4),
                   .half_life = AnyNumber(rng, 30),
                   .min_norm = AnyFloat(rng, 0, 0.1F),
                   .sweep_steps = AnyNumber(rng, 20),
                   .budget_bytes = rng.Below(3) == 0 ? AnyNumber(rng, 200'000) : 0,
                   .budget_policy = static_cast<BudgetPolicy>(rng.Below(2))};
  return spec;
}

void Use(const TableSpec& spec, Rng& rng) {
  Table table(spec);
  for (std::uint32_t step = 0; step < 12; ++step) {
    const std::size_t n = 1 + rng.Below(40);
    const std::vector<Key> keys = test::Keys(rng, n, 50);
    std::vector<float> gradients = test::Floats(rng, n * spec.dim, -1, 1);
    if (rng.Below(3) == 0) {
      for (float& g : gradients) g *= 1e30F;  // Squares overflow.
    }
    table.Push(keys, test::Counts(rng, n, 3), gradients, step * 20, 1);
    table.EndSteps(step * 20 + 1);
    std::vector<float> rows(n * spec.dim);
    table.Pull(keys, {.rows = rows.data(), .stride = spec.dim});
    for (const float weight : rows) REQUIRE(std::isfinite(weight));
  }
  const TableStatistics statistics = table.Statistics();
  REQUIRE(statistics.rows == table.row_count());
  REQUIRE(statistics.rows + statistics.evicted_idle + statistics.evicted_score +
              statistics.evicted_norm + statistics.evicted_budget ==
          statistics.rows_created);
  REQUIRE(statistics.weight_bytes + statistics.state_bytes + statistics.header_bytes <=
          statistics.bytes());
}

TEST_CASE("any spec is refused by name or makes a table that works", "[sparse][table_spec]") {
  const std::uint64_t block = GENERATE(range<std::uint64_t>(0, 40));
  int accepted = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    CAPTURE(block, i);
    Rng rng(block * 1000 + i);
    const TableSpec spec = AnySpec(rng);
    const absl::Status status = Validate(spec);
    if (!status.ok()) {
      REQUIRE(absl::IsInvalidArgument(status));
      REQUIRE(status.message().find("table 'user_id': ") == 0);
      REQUIRE(status.message().find(": want ") != std::string::npos);
      continue;
    }
    ++accepted;
    Use(spec, rng);
  }
  CHECK(accepted > 0);
}

}  // namespace
}  // namespace longtail::sparse
