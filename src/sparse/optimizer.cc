#include "sparse/optimizer.h"

#include <variant>

#include "base/check.h"

namespace longtail::sparse {

std::uint32_t StateSize(const OptimizerSpec& spec, std::uint32_t dim) {
  return std::visit(
      [&](const auto& rule) { return static_cast<std::uint32_t>(StateSize(rule, dim)); },
      spec.rule);
}

// Adam keeps the row's step number there.
std::uint32_t ExactStateSize(const OptimizerSpec& spec) {
  return std::holds_alternative<AdamSpec>(spec.rule) ? 1 : 0;
}

void InitState(const OptimizerSpec& spec, std::span<const float> weights, std::span<float> state) {
  std::visit(
      [&](const auto& rule) {
        LONGTAIL_CHECK(state.size() == StateSize(rule, weights.size()));
        InitState(rule, weights.data(), weights.size(), state.data());
      },
      spec.rule);
}

OptimizerRule WithRateScale(const OptimizerRule& rule, float scale) {
  OptimizerRule scaled = rule;
  std::visit([&](auto& spec) { spec = ScaledRate(spec, scale); }, scaled);
  return scaled;
}

}  // namespace longtail::sparse
