// The fields of specs by name, listed once for the byte codec and the JSON of manifests.
//
// The order of fields and of alternatives is part of stored formats: append only.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "longtail/table_spec.h"

namespace longtail {

template <typename T, typename Spec>
concept SpecOf = std::same_as<std::remove_const_t<T>, Spec>;

/// Names of the alternatives, by their index in the variant.
inline constexpr std::array<std::string_view, std::variant_size_v<OptimizerRule>> kRuleNames = {
    "sgd", "momentum", "adagrad", "rowwise_adagrad", "adam", "ftrl"};
inline constexpr std::array<std::string_view, std::variant_size_v<InitializerSpec>>
    kInitializerNames = {"constant", "uniform", "normal", "truncated_normal"};
inline constexpr std::array<std::string_view, 2> kMomentumKindNames = {"heavy_ball", "nesterov"};
inline constexpr std::array<std::string_view, 5> kWeightFormatNames = {"fp32", "bf16", "fp16",
                                                                       "int8", "shared"};
inline constexpr std::array<std::string_view, 2> kStateFormatNames = {"fp32", "bf16"};
inline constexpr std::array<std::string_view, 2> kBudgetPolicyNames = {"refuse", "evict_lowest"};
inline constexpr std::array<std::string_view, 2> kTableKindNames = {"weights", "counts"};

/// The names of an enumeration's values, by number.
constexpr std::span<const std::string_view> NamesOf(MomentumKind) {
  return kMomentumKindNames;
}
constexpr std::span<const std::string_view> NamesOf(WeightFormat) {
  return kWeightFormatNames;
}
constexpr std::span<const std::string_view> NamesOf(StateFormat) {
  return kStateFormatNames;
}
constexpr std::span<const std::string_view> NamesOf(BudgetPolicy) {
  return kBudgetPolicyNames;
}
constexpr std::span<const std::string_view> NamesOf(TableKind) {
  return kTableKindNames;
}

/// Calls visit(name, field) for each field: a number, a bool, or an enumeration with names.
template <SpecOf<SgdSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("learning_rate", spec.learning_rate);
}

template <SpecOf<MomentumSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("learning_rate", spec.learning_rate);
  visit("momentum", spec.momentum);
  visit("kind", spec.kind);
}

template <SpecOf<AdagradSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("learning_rate", spec.learning_rate);
  visit("initial_accumulator", spec.initial_accumulator);
  visit("epsilon", spec.epsilon);
}

template <SpecOf<RowwiseAdagradSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("learning_rate", spec.learning_rate);
  visit("initial_accumulator", spec.initial_accumulator);
  visit("epsilon", spec.epsilon);
}

template <SpecOf<AdamSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("learning_rate", spec.learning_rate);
  visit("beta1", spec.beta1);
  visit("beta2", spec.beta2);
  visit("epsilon", spec.epsilon);
}

template <SpecOf<FtrlSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("alpha", spec.alpha);
  visit("beta", spec.beta);
  visit("l1", spec.l1);
  visit("l2", spec.l2);
}

template <SpecOf<ConstantSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("value", spec.value);
}

template <SpecOf<UniformSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("low", spec.low);
  visit("high", spec.high);
}

template <SpecOf<NormalSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("mean", spec.mean);
  visit("stddev", spec.stddev);
}

template <SpecOf<TruncatedNormalSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("mean", spec.mean);
  visit("stddev", spec.stddev);
}

/// The fields of an OptimizerSpec beside its rule.
template <SpecOf<OptimizerSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("weight_decay", spec.weight_decay);
  visit("gradient_clip", spec.gradient_clip);
  visit("gradient_norm_clip", spec.gradient_norm_clip);
  visit("weight_clip", spec.weight_clip);
}

template <SpecOf<FrequencySpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("rate_power", spec.rate_power);
  visit("rate_from", spec.rate_from);
  visit("decay_power", spec.decay_power);
  visit("cow_clip", spec.cow_clip);
  visit("cow_clip_floor", spec.cow_clip_floor);
  visit("idle_decay", spec.idle_decay);
  visit("group_lasso", spec.group_lasso);
}

template <SpecOf<RowFormat> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("weights", spec.weights);
  visit("state", spec.state);
}

/// The fields of a TailSpec beside its format.
template <SpecOf<TailSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("below", spec.below);
  visit("rowwise_state", spec.rowwise_state);
  visit("field_bits", spec.field_bits);
  visit("bucket_bits", spec.bucket_bits);
}

template <SpecOf<EvictionSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("idle_steps", spec.idle_steps);
  visit("min_score", spec.min_score);
  visit("half_life", spec.half_life);
  visit("min_norm", spec.min_norm);
  visit("sweep_steps", spec.sweep_steps);
  visit("budget_bytes", spec.budget_bytes);
  visit("budget_policy", spec.budget_policy);
}

/// Gives `variant` its alternative number `index`, with default fields; index must be one of them.
template <typename Variant, std::size_t... I>
void EmplaceIndex(Variant& variant, std::size_t index, std::index_sequence<I...>) {
  static_cast<void>(((I == index ? (variant.template emplace<I>(), true) : false) || ...));
}
template <typename Variant>
void EmplaceIndex(Variant& variant, std::size_t index) {
  EmplaceIndex(variant, index, std::make_index_sequence<std::variant_size_v<Variant>>());
}

}  // namespace longtail
