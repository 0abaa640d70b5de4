#include "examples/ctr/train_config.h"

#include <catch2/catch.hpp>
#include <string>

namespace longtail::examples {
namespace {

constexpr const char* kWhole = R"({
  "title": "all",  // Comments are allowed.
  "data": {"schema": "data/schema.json", "train": "fit", "validation": "val", "test": "late",
           "shuffle": 5, "frequency_field": "movie"},
  "model": {"name": "dcn_v2", "linear": true, "dim": 8, "hidden": [4, 2], "cross_layers": 2,
            "dropout": 0.5, "pooling": "sum"},
  "sparse": {"optimizer": {"rule": "ftrl", "alpha": 0.5, "l1": 2}, "gradient": "sum", "backoff": 3,
             "backoff_own": "added",
             "format": {"weights": "bf16"}, "tail": {"below": 4}, "eviction": {"idle_steps": 6},
             "initializer": {"kind": "uniform", "low": -1, "high": 2}},
  "dense": {"optimizer": {"rule": "sgd", "momentum": 0.5}, "initial_scale": 0.5},
  "training": {"batch": 32, "epochs": 4, "workers": 2, "prefetch": 0, "seed": 9,
               "schedule": {"warmup": 3, "decay": "cosine", "steps": 10, "final": 0.1}},
  "device": {"name": "cpu", "depth": 4, "exact_steps": 5, "cache_rows": 100, "cache_steps": 2,
             "keys_max": 77, "graph": true},
  "cluster": {"lanes": 2, "partitions": 8, "step_mode": "asynchronous"}
})";

TEST_CASE("every setting of a config file arrives", "[examples][ctr][train_config]") {
  const auto config = ParseTrainConfig(kWhole, "c.json", "/configs");

  INFO(config.status().ToString());
  REQUIRE(config.ok());
  CHECK(config->title == "all");
  CHECK(config->data.schema == "/configs/data/schema.json");
  CHECK(config->data.train == "fit");
  CHECK(config->data.shuffle == 5);
  CHECK(config->model.linear);
  CHECK(config->model.hidden == std::vector<std::uint32_t>{4, 2});
  CHECK(config->model.pooling == Pooling::kSum);
  CHECK(std::get<FtrlSpec>(config->table.optimizer.rule) ==
        FtrlSpec{.alpha = 0.5F, .beta = 1, .l1 = 2, .l2 = 0});
  CHECK(std::get<UniformSpec>(config->table.initializer) == UniformSpec{.low = -1, .high = 2});
  CHECK(config->sparse_gradient == SparseGradient::kSum);
  CHECK(config->backoff == BackoffSpec{.below = 3, .own = OwnRow::kIsAdded});
  CHECK(config->table.format == RowFormat{.weights = WeightFormat::kBfloat16});
  CHECK(config->table.tail == TailSpec{.below = 4});
  CHECK(config->table.eviction == EvictionSpec{.idle_steps = 6});
  CHECK(std::get<DenseSgd>(config->dense.rule).momentum == 0.5F);
  CHECK(config->dense_initial_scale == 0.5F);
  CHECK(config->batch == 32);
  CHECK(config->workers == 2);
  CHECK(config->schedule.Factor(10) == Approx(0.1));
  CHECK(config->device.name == "cpu");
  CHECK(config->device.depth == 4);
  CHECK(config->device.exact_steps == 5);
  CHECK(config->device.cache_rows == 100);
  CHECK(config->device.cache_steps == 2);
  CHECK(config->device.keys_max == 77);
  CHECK(config->device.graph);
  CHECK(config->step_mode == StepMode::kAsynchronous);
}

TEST_CASE("bounded staleness is a step mode with a number of steps",
          "[examples][ctr][train_config]") {
  const auto config = ParseTrainConfig(R"({"data": {"schema": "s.json"},
      "cluster": {"step_mode": "bounded", "staleness": 3}})",
                                       "c.json", "");

  INFO(config.status().ToString());
  REQUIRE(config.ok());
  CHECK(config->step_mode == StepMode::kBoundedStaleness);
  CHECK(config->staleness == 3);
}

TEST_CASE("values on the wire are one format, or rows have their own",
          "[examples][ctr][train_config]") {
  const auto parsed = [](const std::string& cluster) {
    return ParseTrainConfig(R"({"data": {"schema": "s.json"}, "cluster": {)" + cluster + "}}",
                            "c.json", "");
  };
  const auto both = parsed(R"("wire_values": "int8", "name_key_lists": true)");
  REQUIRE(both.ok());
  CHECK(both->wire_gradients == WireValues::kInt8);
  CHECK(both->wire_rows == WireValues::kInt8);
  CHECK(both->name_key_lists);

  const auto two = parsed(R"("wire_values": "int8", "wire_rows": "bf16")");
  REQUIRE(two.ok());
  CHECK(two->wire_gradients == WireValues::kInt8);
  CHECK(two->wire_rows == WireValues::kBfloat16);
  CHECK_FALSE(two->name_key_lists);

  CHECK(absl::IsInvalidArgument(parsed(R"("wire_values": "int4")").status()));
}

TEST_CASE("a row cache has memory and a bound", "[examples][ctr][train_config]") {
  const auto config = ParseTrainConfig(R"({"data": {"schema": "s.json"},
      "cluster": {"row_cache_mib": 64, "row_cache_steps": 4}})",
                                       "c.json", "");

  REQUIRE(config.ok());
  CHECK(config->row_cache_mib == 64);
  CHECK(config->row_cache_steps == 4);
  CHECK(TrainConfig{}.row_cache_mib == 0);
}

TEST_CASE("a config that is wrong is refused with its place and what was wanted",
          "[examples][ctr][train_config]") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string data = R"("data": {"schema": "s.json"})";
  const Case bad = GENERATE_COPY(values<Case>({
      {"{", "c.json: is no JSON; wanted an object"},
      {"{}", "c.json: data: key 'schema': wanted either a schema or 'synthetic', and not both"},
      {"{" + data + R"(, "modle": {}})",
       "c.json: unknown key 'modle'; wanted one of cluster, data, dense, device, model, sparse, "
       "title, training"},
      {"{" + data + R"(, "training": {"batch": 0}})",
       "c.json: training: key 'batch': is 0; wanted 1..1048576"},
      {"{" + data + R"(, "training": {"prefetch": 2}})",
       "c.json: training: key 'prefetch': is 2; wanted 0 or 1"},
      {"{" + data + R"(, "training": {"workers": 5000000000}})",
       "c.json: training: key 'workers': is 5000000000; wanted at most 4294967295"},
      {"{" + data + R"(, "model": {"hidden": [1.5]}})",
       "c.json: model: key 'hidden': has 1.5; wanted whole numbers from 1 up"},
      {"{" + data + R"(, "model": {"pooling": "max"}})",
       "c.json: model: key 'pooling': is 'max'; wanted one of mean, sum"},
      {R"({"data": {"schema": "s.json", "min_count": 2}, "sparse": {"backoff": 3}})",
       "c.json: sparse: key 'backoff': is 3 and data.min_count is 2; wanted one of them at most"},
      {"{" + data + R"(, "sparse": {"backoff_own": "added"}})",
       "c.json: sparse: key 'backoff_own': is 'added' and there is no backoff; wanted both or "
       "none"},
      {"{" + data + R"(, "cluster": {"step_mode": "stale"}})",
       "c.json: cluster: key 'step_mode': is 'stale'; wanted one of synchronous, asynchronous, "
       "bounded"},
      {"{" + data + R"(, "device": {"depth": 17}})",
       "c.json: device: key 'depth': is 17; wanted 1..16"},
      {"{" + data + R"(, "cluster": {"staleness": 2}})",
       "c.json: cluster: key 'staleness': is 2; wanted 0, or a step_mode of 'bounded'"},
      {"{" + data + R"(, "cluster": {"step_mode": "bounded", "staleness": 1000001}})",
       "c.json: cluster: key 'staleness': is 1000001; wanted 0..1000000"},
      {"{" + data + R"(, "sparse": {"optimizer": {"rule": "lamb"}}})",
       "c.json: sparse.optimizer: key 'rule': is 'lamb'; wanted sgd, momentum, adagrad, "
       "rowwise_adagrad, adam or ftrl"},
      {"{" + data + R"(, "sparse": {"initializer": {"kind": "zeros"}}})",
       "c.json: sparse.initializer: key 'kind': is 'zeros'; wanted constant, uniform, normal or "
       "truncated_normal"},
  }));
  CAPTURE(bad.text);

  const auto config = ParseTrainConfig(bad.text, "c.json", "");

  CHECK(config.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(std::string(config.status().message()) == bad.message);
}

TEST_CASE("a config file that is not there is named", "[examples][ctr][train_config]") {
  const auto config = LoadTrainConfig("no/such.json");

  CHECK(config.status().code() == absl::StatusCode::kNotFound);
  CHECK(config.status().message() == "config 'no/such.json': cannot be opened");
}

TEST_CASE("the project's own configs are right", "[examples][ctr][train_config]") {
  const std::string name =
      GENERATE("movielens-latest-small", "movielens-1m-deepfm", "frappe-fm", "frappe-deepfm",
               "frappe-tail", "criteo-dac-lr", "criteo-dac-dcn", "criteo-dac-tail");
  const auto config =
      LoadTrainConfig(std::string(LONGTAIL_SOURCE_DIR) + "/examples/ctr/configs/" + name + ".json");

  INFO(config.status().ToString());
  CHECK(config.ok());
}

}  // namespace
}  // namespace longtail::examples
