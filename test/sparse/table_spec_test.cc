#include "longtail/table_spec.h"

#include <catch2/catch.hpp>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <variant>

#include "sparse/specs.h"

namespace longtail {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TableSpec Good() {
  return test::SpecOf(AdagradSpec{}, UniformSpec{}, 8);
}

template <typename Spec>
TableSpec WithRule(const Spec& rule) {
  TableSpec spec = Good();
  spec.optimizer.rule = rule;
  return spec;
}

template <typename Spec>
TableSpec WithInitializer(const Spec& initializer) {
  TableSpec spec = Good();
  spec.initializer = initializer;
  return spec;
}

template <typename Change>
TableSpec Changed(Change change) {
  TableSpec spec = Good();
  change(spec);
  return spec;
}

TEST_CASE("a spec of every rule and initializer is accepted", "[sparse][table_spec]") {
  for (const OptimizerRule& rule : test::Rules()) {
    for (const InitializerSpec& initializer : test::Initializers()) {
      CHECK(Validate(test::SpecOf(rule, initializer, 8)).ok());
    }
  }
}

TEST_CASE("defaults are accepted once a table has a name and a width", "[sparse][table_spec]") {
  CHECK(Validate({.name = "a", .dim = 1}).ok());
  CHECK(Validate({.name = std::string(64, 'z'), .dim = 4096}).ok());
  CHECK(Validate(WithRule(SgdSpec{})).ok());
  CHECK(Validate(WithRule(MomentumSpec{})).ok());
  CHECK(Validate(WithRule(RowwiseAdagradSpec{})).ok());
  CHECK(Validate(WithRule(AdamSpec{})).ok());
  CHECK(Validate(WithRule(FtrlSpec{})).ok());
}

TEST_CASE("a wrong name is refused", "[sparse][table_spec]") {
  const std::string name = GENERATE(as<std::string>(), "", "User", "1st", "_a", "a-b", "a b",
                                    "\xC3\xA4", std::string(65, 'a'));
  const absl::Status status = Validate({.name = name, .dim = 4});

  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() ==
        "table name '" + name + "': want [a-z][a-z0-9_]*, at most 64 characters");
}

TEST_CASE("the first wrong field is named with its value and what was wanted",
          "[sparse][table_spec]") {
  struct Case {
    TableSpec spec;
    std::string want;
  };
  const std::string rate = ": want above 0, at most 1e30";
  const std::string bound = ": want 0..1e30";
  const std::string below_one = ": want 0 or more, below 1";
  const std::string any = ": want -1e30..1e30";
  const Case bad = GENERATE_COPY(values<Case>({
      {Changed([](auto& s) { s.dim = 0; }), "dim 0: want 1..4096"},
      {Changed([](auto& s) { s.dim = 4097; }), "dim 4097: want 1..4096"},
      {Changed([](auto& s) { s.linear_columns = 9; }), "linear_columns 9: want at most dim 8"},
      {WithRule(SgdSpec{.learning_rate = 0}), "sgd.learning_rate 0" + rate},
      {WithRule(SgdSpec{.learning_rate = kNan}), "sgd.learning_rate nan" + rate},
      {WithRule(SgdSpec{.learning_rate = 2e30F}), "sgd.learning_rate 2e+30" + rate},
      {WithRule(MomentumSpec{.learning_rate = -1}), "momentum.learning_rate -1" + rate},
      {WithRule(MomentumSpec{.momentum = 1}), "momentum.momentum 1" + below_one},
      {WithRule(MomentumSpec{.momentum = -0.5F}), "momentum.momentum -0.5" + below_one},
      {WithRule(MomentumSpec{.kind = MomentumKind{7}}),
       "momentum.kind 7: want 0 (heavy ball) or 1 (Nesterov)"},
      {WithRule(AdagradSpec{.learning_rate = kInfinity}), "adagrad.learning_rate inf" + rate},
      {WithRule(AdagradSpec{.initial_accumulator = -1}), "adagrad.initial_accumulator -1" + bound},
      {WithRule(AdagradSpec{.epsilon = 0}), "adagrad.epsilon 0" + rate},
      {WithRule(RowwiseAdagradSpec{.learning_rate = 0}), "rowwise_adagrad.learning_rate 0" + rate},
      {WithRule(RowwiseAdagradSpec{.initial_accumulator = kNan}),
       "rowwise_adagrad.initial_accumulator nan" + bound},
      {WithRule(RowwiseAdagradSpec{.epsilon = -1}), "rowwise_adagrad.epsilon -1" + rate},
      {WithRule(AdamSpec{.learning_rate = 0}), "adam.learning_rate 0" + rate},
      {WithRule(AdamSpec{.beta1 = 1}), "adam.beta1 1" + below_one},
      {WithRule(AdamSpec{.beta2 = 1.5F}), "adam.beta2 1.5" + below_one},
      {WithRule(AdamSpec{.epsilon = 0}), "adam.epsilon 0" + rate},
      {WithRule(FtrlSpec{.alpha = 0}), "ftrl.alpha 0" + rate},
      {WithRule(FtrlSpec{.beta = 0}), "ftrl.beta 0" + rate},
      {WithRule(FtrlSpec{.l1 = -1}), "ftrl.l1 -1" + bound},
      {WithRule(FtrlSpec{.l2 = kInfinity}), "ftrl.l2 inf" + bound},
      {Changed([](auto& s) { s.optimizer.weight_decay = -2; }), "weight_decay -2" + bound},
      {Changed([](auto& s) { s.optimizer.gradient_clip = kNan; }), "gradient_clip nan" + bound},
      {Changed([](auto& s) { s.optimizer.gradient_norm_clip = -3; }),
       "gradient_norm_clip -3" + bound},
      {Changed([](auto& s) { s.optimizer.weight_clip = -4; }), "weight_clip -4" + bound},
      {WithInitializer(ConstantSpec{.value = kInfinity}), "constant.value inf" + any},
      {WithInitializer(UniformSpec{.low = -kInfinity}), "uniform.low -inf" + any},
      {WithInitializer(UniformSpec{.high = kNan}), "uniform.high nan" + any},
      {WithInitializer(UniformSpec{.low = 0.5F, .high = 0.25F}),
       "uniform.high 0.25: want at least uniform.low 0.5"},
      {WithInitializer(NormalSpec{.mean = kNan}), "normal.mean nan" + any},
      {WithInitializer(NormalSpec{.stddev = -1}), "normal.stddev -1" + bound},
      {WithInitializer(TruncatedNormalSpec{.mean = kInfinity}), "truncated_normal.mean inf" + any},
      {WithInitializer(TruncatedNormalSpec{.stddev = -2}), "truncated_normal.stddev -2" + bound},
      {Changed([](auto& s) { s.optimizer.frequency.rate_power = 0.3F; }),
       "frequency.rate_power 0.3: want 0..2, a multiple of 0.25"},
      {Changed([](auto& s) { s.optimizer.frequency.rate_power = -0.5F; }),
       "frequency.rate_power -0.5" + bound},
      {Changed([](auto& s) { s.optimizer.frequency.rate_from = 0.5F; }),
       "frequency.rate_from 0.5: want at least 1"},
      {Changed([](auto& s) { s.optimizer.frequency.decay_power = 2.25F; }),
       "frequency.decay_power 2.25: want -2..2, a multiple of 0.25"},
      {Changed([](auto& s) { s.optimizer.frequency.cow_clip = kNan; }),
       "frequency.cow_clip nan" + bound},
      {Changed([](auto& s) { s.optimizer.frequency.idle_decay = 1; }),
       "frequency.idle_decay 1" + below_one},
      {Changed([](auto& s) {
         s.optimizer.rule = FtrlSpec{};
         s.optimizer.frequency.group_lasso = 0.5F;
       }),
       "frequency.group_lasso 0.5: want 0 with ftrl, whose weights follow from its state"},
      {Changed([](auto& s) { s.format.weights = static_cast<WeightFormat>(4); }),
       "format.weights 4 (shared): want it in the tail alone"},
      {Changed([](auto& s) { s.tail.format.weights = static_cast<WeightFormat>(5); }),
       "tail.format.weights 5: want 0 (fp32), 1 (bf16), 2 (fp16), 3 (int8) or 4 (shared)"},
      {Changed([](auto& s) { s.tail.bucket_bits = 2; }),
       "tail.bucket_bits 2: want 0 but for shared weights"},
      {Changed([](auto& s) {
         s.tail.format.weights = WeightFormat::kShared;
         s.tail.field_bits = 17;
       }),
       "tail.field_bits 17: want 0..16"},
      {Changed([](auto& s) {
         s.tail.format.weights = WeightFormat::kShared;
         s.tail.below = 1048577;
       }),
       "tail.below 1048577: want at most 1048576 with shared weights"},
      {Changed([](auto& s) { s.tail.format.state = static_cast<StateFormat>(2); }),
       "tail.format.state 2: want 0 (fp32) or 1 (bf16)"},
      {Changed([](auto& s) {
         s.optimizer.rule = AdamSpec{};
         s.tail.rowwise_state = true;
       }),
       "tail.rowwise_state true: want false but for adagrad, whose state alone has a form for a "
       "whole row"},
      {Changed([](auto& s) { s.eviction.sweep_steps = 0; }),
       "eviction.sweep_steps 0: want at least 1"},
      {Changed([](auto& s) { s.eviction.idle_steps = 16777217; }),
       "eviction.idle_steps 16777217: want at most 16777216, the steps that a row's last one is "
       "known for"},
      {Changed([](auto& s) { s.eviction.min_norm = -1; }), "eviction.min_norm -1" + bound},
      {Changed([](auto& s) { s.eviction.budget_policy = static_cast<BudgetPolicy>(2); }),
       "eviction.budget_policy 2: want 0 (refuse) or 1 (evict_lowest)"},
      {Changed([](auto& s) { s.eviction.budget_bytes = 65535; }),
       "eviction.budget_bytes 65535: want 0 or at least 65536 a partition"},
      {Changed([](auto& s) {
         s.dim = 4096;
         s.eviction.budget_bytes = 65536;
       }),
       "eviction.budget_bytes 65536: want 0 or at least 65576 a partition"},
  }));

  const absl::Status status = Validate(bad.spec);

  CHECK(absl::IsInvalidArgument(status));
  CHECK(status.message() == "table 'user_id': " + bad.want);
}

TEST_CASE("any change of a spec changes its fingerprint", "[sparse][table_spec]") {
  std::vector<TableSpec> specs{
      Good(),
      Changed([](auto& s) { s.name = "item_id"; }),
      Changed([](auto& s) { s.dim = 9; }),
      Changed([](auto& s) { s.seed = 42; }),
      Changed([](auto& s) { s.linear_columns = 2; }),
      Changed([](auto& s) { s.optimizer.weight_decay = 0.5F; }),
      Changed([](auto& s) { s.optimizer.gradient_clip = 0.5F; }),
      Changed([](auto& s) { s.optimizer.gradient_norm_clip = 0.5F; }),
      Changed([](auto& s) { s.optimizer.weight_clip = 0.5F; }),
      WithRule(AdagradSpec{.learning_rate = 0.5F}),
      WithRule(AdagradSpec{.initial_accumulator = 0.5F}),
      WithRule(AdagradSpec{.epsilon = 0.5F}),
      WithRule(RowwiseAdagradSpec{}),
      WithInitializer(UniformSpec{.low = -0.5F}),
      WithInitializer(UniformSpec{.high = 0.5F}),
      WithInitializer(NormalSpec{.mean = -0.01F, .stddev = 0.01F}),
      WithInitializer(TruncatedNormalSpec{.mean = -0.01F, .stddev = 0.01F}),
      Changed([](auto& s) { s.optimizer.frequency.rate_power = 0.5F; }),
      Changed([](auto& s) { s.optimizer.frequency.rate_from = 2; }),
      Changed([](auto& s) { s.optimizer.frequency.decay_power = 0.5F; }),
      Changed([](auto& s) { s.optimizer.frequency.cow_clip = 0.5F; }),
      Changed([](auto& s) { s.optimizer.frequency.cow_clip_floor = 0.5F; }),
      Changed([](auto& s) { s.optimizer.frequency.idle_decay = 0.5F; }),
      Changed([](auto& s) { s.optimizer.frequency.group_lasso = 0.5F; }),
      Changed([](auto& s) { s.format.weights = WeightFormat::kInt8; }),
      Changed([](auto& s) { s.format.state = StateFormat::kBfloat16; }),
      Changed([](auto& s) { s.tail.below = 2; }),
      Changed([](auto& s) { s.tail.format.weights = WeightFormat::kFloat16; }),
      Changed([](auto& s) { s.tail.format.state = StateFormat::kFloat32; }),
      Changed([](auto& s) { s.tail.rowwise_state = true; }),
      Changed([](auto& s) { s.tail.field_bits = 2; }),
      Changed([](auto& s) { s.tail.bucket_bits = 2; }),
      Changed([](auto& s) { s.eviction.idle_steps = 2; }),
      Changed([](auto& s) { s.eviction.min_score = 2; }),
      Changed([](auto& s) { s.eviction.half_life = 2; }),
      Changed([](auto& s) { s.eviction.min_norm = 2; }),
      Changed([](auto& s) { s.eviction.sweep_steps = 2; }),
      Changed([](auto& s) { s.eviction.budget_bytes = 2; }),
      Changed([](auto& s) { s.eviction.budget_policy = BudgetPolicy::kEvictLowest; }),
  };
  for (const OptimizerRule& rule : test::Rules()) specs.push_back(WithRule(rule));
  std::set<std::uint64_t> fingerprints;

  for (const TableSpec& spec : specs) fingerprints.insert(Fingerprint(spec));

  CHECK(fingerprints.size() == specs.size());
}

TEST_CASE("equal specs have equal fingerprints, on every machine and for ever",
          "[sparse][table_spec]") {
  TableSpec negative_zero = Good();
  negative_zero.optimizer.weight_decay = -0.0F;
  TableSpec zero = Good();
  zero.optimizer.weight_decay = 0.0F;

  CHECK(zero == negative_zero);
  CHECK(Fingerprint(zero) == Fingerprint(negative_zero));
  CHECK(Fingerprint(Good()) == 0xF168699F0297800BU);
  CHECK(Fingerprint(WithRule(MomentumSpec{.kind = MomentumKind::kNesterov})) ==
        0xB931D049994732C0U);
}

TEST_CASE("a count table has up to 2^20 columns, and nothing that weights have",
          "[sparse][table_spec]") {
  const TableSpec counts{.name = "topics", .dim = 1 << 20, .kind = TableKind::kCounts};
  CHECK(Validate(counts).ok());
  const auto wrong = [&](const auto& change) {
    TableSpec spec = counts;
    change(spec);
    return std::string(Validate(spec).message());
  };
  const std::string name = "table 'topics': ";
  const std::string set = ": is set: want the default, for a table of counts has none";
  CHECK(wrong([](TableSpec& s) { s.dim = 0; }) ==
        name + "dim 0: want 1..1048576 columns of counts");
  CHECK(wrong([](TableSpec& s) { ++s.dim; }) ==
        name + "dim 1048577: want 1..1048576 columns of counts");
  CHECK(wrong([](TableSpec& s) { s.optimizer.weight_decay = 1; }) == name + "optimizer" + set);
  CHECK(wrong([](TableSpec& s) { s.initializer = UniformSpec{}; }) == name + "initializer" + set);
  CHECK(wrong([](TableSpec& s) { s.seed = 1; }) == name + "seed" + set);
  CHECK(wrong([](TableSpec& s) { s.linear_columns = 1; }) == name + "linear_columns" + set);
  CHECK(wrong([](TableSpec& s) { s.format.weights = WeightFormat::kInt8; }) ==
        name + "format" + set);
  CHECK(wrong([](TableSpec& s) { s.tail.below = 2; }) == name + "tail" + set);
  CHECK(wrong([](TableSpec& s) { s.eviction.idle_steps = 2; }) == name + "eviction" + set);
  CHECK(wrong([](TableSpec& s) { s.kind = static_cast<TableKind>(2); }) ==
        name + "kind 2: want 0 (weights) or 1 (counts)");
}

TEST_CASE("the kind of a table is part of its fingerprint", "[sparse][table_spec]") {
  TableSpec spec{.name = "topics", .dim = 8};
  const std::uint64_t weights = Fingerprint(spec);
  spec.kind = TableKind::kCounts;
  CHECK(Fingerprint(spec) != weights);
}

}  // namespace
}  // namespace longtail
