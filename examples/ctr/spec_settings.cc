#include "examples/ctr/spec_settings.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "examples/ctr/setting_fields.h"
#include "examples/ctr/table_fields.h"

namespace longtail::examples {
namespace {

std::string Wanted(const std::string& value, const char* wanted) {
  return absl::StrCat("is '", value, "'; wanted ", wanted);
}

template <typename Spec>
absl::StatusOr<Spec> ParseFields(const nlohmann::json& object, const std::string& place) {
  SettingFields fields(object, place);
  Spec spec;
  VisitFields(spec, [&](const char* name, auto& field) {
    using Field = std::remove_reference_t<decltype(field)>;
    if constexpr (std::is_enum_v<Field>) {
      const auto names = NamesOf(field);
      auto index = static_cast<std::size_t>(field);
      fields.GetWord(name, {names.begin(), names.end()}, index);
      field = static_cast<Field>(index);
    } else {
      fields.Get(name, field);
    }
  });
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return spec;
}

}  // namespace

absl::StatusOr<OptimizerSpec> ParseSparseOptimizer(const nlohmann::json& object,
                                                   const std::string& place) {
  SettingFields fields(object, place);
  OptimizerSpec spec;
  std::string rule = "adagrad";
  fields.Get("rule", rule);
  if (rule == "sgd") {
    SgdSpec r;
    fields.Get("learning_rate", r.learning_rate);
    spec.rule = r;
  } else if (rule == "momentum") {
    MomentumSpec r;
    bool is_nesterov = false;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("momentum", r.momentum);
    fields.Get("nesterov", is_nesterov);
    r.kind = is_nesterov ? MomentumKind::kNesterov : MomentumKind::kHeavyBall;
    spec.rule = r;
  } else if (rule == "adagrad") {
    AdagradSpec r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("initial_accumulator", r.initial_accumulator);
    fields.Get("epsilon", r.epsilon);
    spec.rule = r;
  } else if (rule == "rowwise_adagrad") {
    RowwiseAdagradSpec r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("initial_accumulator", r.initial_accumulator);
    fields.Get("epsilon", r.epsilon);
    spec.rule = r;
  } else if (rule == "adam") {
    AdamSpec r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("beta1", r.beta1);
    fields.Get("beta2", r.beta2);
    fields.Get("epsilon", r.epsilon);
    spec.rule = r;
  } else if (rule == "ftrl") {
    FtrlSpec r;
    fields.Get("alpha", r.alpha);
    fields.Get("beta", r.beta);
    fields.Get("l1", r.l1);
    fields.Get("l2", r.l2);
    spec.rule = r;
  } else {
    fields.Refuse("rule", Wanted(rule, "sgd, momentum, adagrad, rowwise_adagrad, adam or ftrl"));
  }
  fields.Get("weight_decay", spec.weight_decay);
  fields.Get("gradient_clip", spec.gradient_clip);
  fields.Get("gradient_norm_clip", spec.gradient_norm_clip);
  fields.Get("weight_clip", spec.weight_clip);
  if (const nlohmann::json* const frequency = fields.Find("frequency"); frequency != nullptr) {
    LONGTAIL_ASSIGN_OR_RETURN(
        spec.frequency, ParseFields<FrequencySpec>(*frequency, absl::StrCat(place, ".frequency")));
  }
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return spec;
}

absl::StatusOr<DenseOptimizerSpec> ParseDenseOptimizer(const nlohmann::json& object,
                                                       const std::string& place) {
  SettingFields fields(object, place);
  DenseOptimizerSpec spec;
  std::string rule = "adam";
  fields.Get("rule", rule);
  if (rule == "sgd") {
    DenseSgd r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("momentum", r.momentum);
    spec.rule = r;
  } else if (rule == "adagrad") {
    DenseAdagrad r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("initial_accumulator", r.initial_sum);
    fields.Get("epsilon", r.epsilon);
    spec.rule = r;
  } else if (rule == "adam") {
    DenseAdam r;
    fields.Get("learning_rate", r.learning_rate);
    fields.Get("beta1", r.beta1);
    fields.Get("beta2", r.beta2);
    fields.Get("epsilon", r.epsilon);
    spec.rule = r;
  } else {
    fields.Refuse("rule", Wanted(rule, "sgd, adagrad or adam"));
  }
  fields.Get("weight_decay", spec.weight_decay);
  fields.Get("gradient_clip", spec.gradient_clip);
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  LONGTAIL_RETURN_IF_ERROR(Validate(spec));
  return spec;
}

absl::StatusOr<InitializerSpec> ParseInitializer(const nlohmann::json& object,
                                                 const std::string& place) {
  SettingFields fields(object, place);
  InitializerSpec spec = NormalSpec{};
  std::string kind = "normal";
  fields.Get("kind", kind);
  if (kind == "constant") {
    ConstantSpec s;
    fields.Get("value", s.value);
    spec = s;
  } else if (kind == "uniform") {
    UniformSpec s;
    fields.Get("low", s.low);
    fields.Get("high", s.high);
    spec = s;
  } else if (kind == "normal") {
    NormalSpec s;
    fields.Get("mean", s.mean);
    fields.Get("stddev", s.stddev);
    spec = s;
  } else if (kind == "truncated_normal") {
    TruncatedNormalSpec s;
    fields.Get("mean", s.mean);
    fields.Get("stddev", s.stddev);
    spec = s;
  } else {
    fields.Refuse("kind", Wanted(kind, "constant, uniform, normal or truncated_normal"));
  }
  LONGTAIL_RETURN_IF_ERROR(fields.Finish());
  return spec;
}

absl::StatusOr<RowFormat> ParseRowFormat(const nlohmann::json& object, const std::string& place) {
  return ParseFields<RowFormat>(object, place);
}

absl::StatusOr<TailSpec> ParseTail(const nlohmann::json& object, const std::string& place) {
  return ParseFields<TailSpec>(object, place);
}

absl::StatusOr<EvictionSpec> ParseEviction(const nlohmann::json& object, const std::string& place) {
  return ParseFields<EvictionSpec>(object, place);
}

}  // namespace longtail::examples
