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
        OptimizerRule(longtail::SgdSpec{.learning_rate = 0.5F}));
  CHECK(parse(R"({"rule": "momentum", "momentum": 0.5, "nesterov": true})").rule ==
        OptimizerRule(MomentumSpec{.momentum = 0.5F, .kind = MomentumKind::kNesterov}));
  CHECK(parse(R"({"rule": "rowwise_adagrad", "initial_accumulator": 2})").rule ==
        OptimizerRule(RowwiseAdagradSpec{.initial_accumulator = 2}));
  CHECK(parse(R"({"rule": "adam", "beta1": 0.5, "beta2": 0.75})").rule ==
        OptimizerRule(longtail::AdamSpec{.beta1 = 0.5F, .beta2 = 0.75F}));
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
  CHECK(std::get<AdagradSpec>(adagrad->rule).initial_sum == 2);
  REQUIRE(normal.ok());
  CHECK(*normal == InitializerSpec(TruncatedNormalSpec{.mean = 1, .stddev = 0.5F}));
  CHECK_FALSE(
      ParseDenseOptimizer(nlohmann::json::parse(R"({"rule": "sgd", "learning_rate": -1})"), "o")
          .ok());
}

}  // namespace
}  // namespace longtail::examples
