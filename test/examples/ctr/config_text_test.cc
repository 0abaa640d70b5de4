#include "examples/ctr/config_text.h"

#include <catch2/catch.hpp>
#include <functional>

#include "examples/ctr/small_training.h"

namespace longtail::examples {
namespace {

TEST_CASE("lanes, partitions and epochs may change on resuming, what decides bits may not",
          "[examples][ctr][config_text]") {
  const TrainConfig config = test::SmallConfig();
  TrainConfig other = config;
  other.lanes = 7;
  other.partitions = 1024;
  other.epochs = 99;
  other.row_cache_mib = 5;  // Within a step rows are what they are.
  CHECK(ResumeSettings(other) == ResumeSettings(config));

  using Change = std::function<void(TrainConfig&)>;
  const Change change = GENERATE(values<Change>({
      [](TrainConfig& c) { c.seed = 77; },
      [](TrainConfig& c) { c.batch = 32; },
      [](TrainConfig& c) { c.workers = 2; },
      [](TrainConfig& c) { c.prefetch = 0; },
      [](TrainConfig& c) { c.backoff.below = 9; },
      [](TrainConfig& c) { c.backoff.own = OwnRow::kIsAdded; },
      [](TrainConfig& c) { c.model.dim = 5; },
      [](TrainConfig& c) { c.model.hidden = {9}; },
      [](TrainConfig& c) { c.model.dropout = 0; },
      [](TrainConfig& c) { c.table.optimizer = {}; },
      [](TrainConfig& c) { c.table.initializer = ConstantSpec{}; },
      [](TrainConfig& c) { c.table.optimizer.frequency.rate_power = 0.5F; },
      [](TrainConfig& c) { c.table.format.weights = WeightFormat::kFloat16; },
      [](TrainConfig& c) { c.table.tail.below = 3; },
      [](TrainConfig& c) { c.table.eviction.idle_steps = 100; },
      [](TrainConfig& c) { c.dense.weight_decay = 0.5F; },
      [](TrainConfig& c) { c.dense_initial_scale = 0.5F; },
      [](TrainConfig& c) { c.schedule.warmup = 5; },
      [](TrainConfig& c) { c.sparse_gradient = SparseGradient::kSum; },
      [](TrainConfig& c) { c.step_mode = StepMode::kAsynchronous; },
      [](TrainConfig& c) { c.step_mode = StepMode::kBoundedStaleness; },
      [](TrainConfig& c) { c.data.shuffle = 1; },
      [](TrainConfig& c) { c.data.min_count = 2; },
      [](TrainConfig& c) { c.wire_gradients = WireValues::kInt8; },
      [](TrainConfig& c) { c.wire_rows = WireValues::kBfloat16; },
      [](TrainConfig& c) {
        c.row_cache_mib = 5;
        c.row_cache_steps = 1;
      },
  }));
  other = config;
  change(other);
  CHECK(ResumeSettings(other) != ResumeSettings(config));
}

TEST_CASE("the bound of staleness is a setting", "[examples][ctr][config_text]") {
  TrainConfig config = test::SmallConfig();
  config.step_mode = StepMode::kBoundedStaleness;
  TrainConfig other = config;
  other.staleness = 2;

  CHECK(ResumeSettings(other) != ResumeSettings(config));
}

TEST_CASE("a training goes on elsewhere if its rows are as old there",
          "[examples][ctr][config_text]") {
  TrainConfig here = test::SmallConfig();
  here.prefetch = GENERATE(0U, 1U);
  TrainConfig there = here;
  there.device = {.name = "cuda:0", .depth = here.prefetch + 1, .exact_steps = 0};
  CHECK(ResumeSettings(there) == ResumeSettings(here));
  there.device.graph = true;
  CHECK(ResumeSettings(there) == ResumeSettings(here));

  TrainConfig begins_exact = there;
  begins_exact.device.exact_steps = 7;
  CHECK((ResumeSettings(begins_exact) == ResumeSettings(here)) == (here.prefetch == 0));

  TrainConfig older = there;
  older.device.depth += 1;
  CHECK(ResumeSettings(older) != ResumeSettings(here));
  TrainConfig cached = there;
  cached.device.cache_rows = 5;
  CHECK(ResumeSettings(cached) != ResumeSettings(here));
}

}  // namespace
}  // namespace longtail::examples
