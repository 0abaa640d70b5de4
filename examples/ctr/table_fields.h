// The fields by which a table's rows are kept, given up and trained by frequency, with the names
// that configs and reports have for them.
#pragma once

#include <array>
#include <concepts>
#include <type_traits>

#include "longtail/eviction_spec.h"
#include "longtail/optimizer_spec.h"
#include "longtail/row_format.h"

namespace longtail::examples {

/// The names of an enumeration's values, by number.
constexpr auto NamesOf(WeightFormat) {
  return std::to_array<const char*>({"fp32", "bf16", "fp16", "int8", "shared"});
}
constexpr auto NamesOf(StateFormat) {
  return std::to_array<const char*>({"fp32", "bf16"});
}
constexpr auto NamesOf(BudgetPolicy) {
  return std::to_array<const char*>({"refuse", "evict_lowest"});
}

/// `Spec` or const `Spec`.
template <typename T, typename Spec>
concept FieldsOwner = std::same_as<std::remove_const_t<T>, Spec>;

/// Calls visit(name, field) for each field: a number, a bool, or an enumeration with names.
template <FieldsOwner<FrequencySpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("rate_power", spec.rate_power);
  visit("rate_from", spec.rate_from);
  visit("decay_power", spec.decay_power);
  visit("cow_clip", spec.cow_clip);
  visit("cow_clip_floor", spec.cow_clip_floor);
  visit("idle_decay", spec.idle_decay);
  visit("group_lasso", spec.group_lasso);
}

template <FieldsOwner<RowFormat> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("weights", spec.weights);
  visit("state", spec.state);
}

/// A tail's own fields, then those of its format.
template <FieldsOwner<TailSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("below", spec.below);
  VisitFields(spec.format, visit);
  visit("rowwise_state", spec.rowwise_state);
  visit("field_bits", spec.field_bits);
  visit("bucket_bits", spec.bucket_bits);
}

template <FieldsOwner<EvictionSpec> S, typename Visit>
void VisitFields(S& spec, Visit&& visit) {
  visit("idle_steps", spec.idle_steps);
  visit("min_score", spec.min_score);
  visit("half_life", spec.half_life);
  visit("min_norm", spec.min_norm);
  visit("sweep_steps", spec.sweep_steps);
  visit("budget_bytes", spec.budget_bytes);
  visit("budget_policy", spec.budget_policy);
}

}  // namespace longtail::examples
