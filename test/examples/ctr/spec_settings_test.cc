#include "examples/ctr/spec_settings.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

namespace longtail::examples {
namespace {

TEST_CASE("every sparse rule is read with its constants", "[examples][ctr][spec_settings]") {
  const auto parse = [](const char* text) {
    const auto spec = ParseSparseOptimizer(nlohmann::json::parse(text), "o");
    INFO(text);
    REQUIRE(spec.ok());
    return *spec;
  };

  CHECK(parse(R"({"rule": "sgd", "learning_rate": 0.5})").rule ==
        OptimizerRule(SgdSpec{.learning_rate = 0.5F}));
  CHECK(parse(R"({"rule": "momentum", "momentum": 0.5, "nesterov": true})").rule ==
        OptimizerRule(MomentumSpec{.momentum = 0.5F, .kind = MomentumKind::kNesterov}));
  CHECK(parse(R"({"rule": "rowwise_adagrad", "initial_accumulator": 2})").rule ==
        OptimizerRule(RowwiseAdagradSpec{.initial_accumulator = 2}));
  CHECK(parse(R"({"rule": "adam", "beta1": 0.5, "beta2": 0.75})").rule ==
        OptimizerRule(AdamSpec{.beta1 = 0.5F, .beta2 = 0.75F}));
  const OptimizerSpec clipped = parse(
      R"({"weight_decay": 0.5, "gradient_clip": 2, "gradient_norm_clip": 3, "weight_clip": 4})");
  CHECK(clipped.weight_decay == 0.5F);
  CHECK(clipped.gradient_clip == 2);
  CHECK(clipped.gradient_norm_clip == 3);
  CHECK(clipped.weight_clip == 4);
}

TEST_CASE("a constant that the rule does not have is refused", "[examples][ctr][spec_settings]") {
  const auto spec =
      ParseSparseOptimizer(nlohmann::json::parse(R"({"rule": "sgd", "beta1": 0.5})"), "o");

  CHECK(spec.status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("dense optimizers and initializers are read", "[examples][ctr][spec_settings]") {
  const auto adagrad = ParseDenseOptimizer(
      nlohmann::json::parse(R"({"rule": "adagrad", "initial_accumulator": 2})"), "o");
  const auto normal = ParseInitializer(
      nlohmann::json::parse(R"({"kind": "truncated_normal", "mean": 1, "stddev": 0.5})"), "i");

  REQUIRE(adagrad.ok());
  CHECK(std::get<DenseAdagrad>(adagrad->rule).initial_sum == 2);
  REQUIRE(normal.ok());
  CHECK(*normal == InitializerSpec(TruncatedNormalSpec{.mean = 1, .stddev = 0.5F}));
  CHECK_FALSE(
      ParseDenseOptimizer(nlohmann::json::parse(R"({"rule": "sgd", "learning_rate": -1})"), "o")
          .ok());
}

TEST_CASE("training by frequency, formats, tail and eviction are read",
          "[examples][ctr][spec_settings]") {
  const auto optimizer = ParseSparseOptimizer(
      nlohmann::json::parse(R"({"frequency": {"rate_power": 0.5, "rate_from": 3,
          "decay_power": -1, "cow_clip": 2, "cow_clip_floor": 4, "idle_decay": 0.25,
          "group_lasso": 0.125}})"),
      "o");
  const auto format =
      ParseRowFormat(nlohmann::json::parse(R"({"weights": "fp16", "state": "bf16"})"), "f");
  const auto tail =
      ParseTail(nlohmann::json::parse(
                    R"({"below": 5, "weights": "bf16", "state": "fp32", "rowwise_state": true})"),
                "t");
  const auto eviction = ParseEviction(
      nlohmann::json::parse(R"({"idle_steps": 7, "min_score": 2, "half_life": 9, "min_norm": 0.5,
          "sweep_steps": 64, "budget_bytes": 5000000000, "budget_policy": "evict_lowest"})"),
      "e");

  REQUIRE(optimizer.ok());
  CHECK(optimizer->frequency == FrequencySpec{.rate_power = 0.5F,
                                              .rate_from = 3,
                                              .decay_power = -1,
                                              .cow_clip = 2,
                                              .cow_clip_floor = 4,
                                              .idle_decay = 0.25F,
                                              .group_lasso = 0.125F});
  REQUIRE(format.ok());
  CHECK(*format == RowFormat{.weights = WeightFormat::kFloat16, .state = StateFormat::kBfloat16});
  REQUIRE(tail.ok());
  CHECK(*tail ==
        TailSpec{.below = 5,
                 .format = {.weights = WeightFormat::kBfloat16, .state = StateFormat::kFloat32},
                 .rowwise_state = true});
  REQUIRE(eviction.ok());
  CHECK(*eviction == EvictionSpec{.idle_steps = 7,
                                  .min_score = 2,
                                  .half_life = 9,
                                  .min_norm = 0.5F,
                                  .sweep_steps = 64,
                                  .budget_bytes = 5'000'000'000,
                                  .budget_policy = BudgetPolicy::kEvictLowest});
}

TEST_CASE("formats and fields that there are not are refused by name",
          "[examples][ctr][spec_settings]") {
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };
  using nlohmann::json;

  CHECK(message(ParseRowFormat(json{{"weights", "int4"}}, "f").status()) ==
        "f: key 'weights': is 'int4'; wanted one of fp32, bf16, fp16, int8, shared");
  CHECK(message(ParseTail(json{{"above", 3}}, "t").status()) ==
        "t: unknown key 'above'; wanted one of below, bucket_bits, field_bits, rowwise_state, "
        "state, weights");
  CHECK(message(ParseEviction(json{{"budget_policy", "panic"}}, "e").status()) ==
        "e: key 'budget_policy': is 'panic'; wanted one of refuse, evict_lowest");
  CHECK(message(ParseSparseOptimizer(json{{"frequency", {{"power", 1}}}}, "o").status())
            .rfind("o.frequency: unknown key 'power'", 0) == 0);
}

}  // namespace
}  // namespace longtail::examples
