#include "longtail/table_spec.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "sparse/row_layout.h"

namespace longtail {
namespace {

bool IsMetricName(std::string_view name) {
  const auto is_lower = [](char c) { return 'a' <= c && c <= 'z'; };
  const auto is_digit = [](char c) { return '0' <= c && c <= '9'; };
  if (name.empty() || name.size() > kNameSizeMax || !is_lower(name.front())) return false;
  return std::ranges::all_of(name, [&](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
}

// No rate or bound is sensibly larger, and nothing below it overflows a float by itself.
constexpr float kMagnitudeMax = 1e30F;

// What a field of a spec may be, a NaN or an infinity never.
enum class Range { kAny, kPositive, kNotNegative, kBelowOne };

bool IsIn(Range range, float value) {
  if (!(std::fabs(value) <= kMagnitudeMax)) return false;
  switch (range) {
    case Range::kAny:
      return true;
    case Range::kPositive:
      return value > 0;
    case Range::kNotNegative:
      return value >= 0;
    case Range::kBelowOne:
      return value >= 0 && value < 1;
  }
  return false;
}

const char* Wanted(Range range) {
  switch (range) {
    case Range::kAny:
      return "-1e30..1e30";
    case Range::kPositive:
      return "above 0, at most 1e30";
    case Range::kNotNegative:
      return "0..1e30";
    case Range::kBelowOne:
      return "0 or more, below 1";
  }
  return "";
}

// Every float of a spec in a fixed order, with its name and range: the one list that Validate and
// Fingerprint both follow.
template <typename Visit>
void Fields(const SgdSpec& spec, const Visit& visit) {
  visit("sgd.learning_rate", spec.learning_rate, Range::kPositive);
}

template <typename Visit>
void Fields(const MomentumSpec& spec, const Visit& visit) {
  visit("momentum.learning_rate", spec.learning_rate, Range::kPositive);
  visit("momentum.momentum", spec.momentum, Range::kBelowOne);
}

template <typename Visit>
void Fields(const AdagradSpec& spec, const Visit& visit) {
  visit("adagrad.learning_rate", spec.learning_rate, Range::kPositive);
  visit("adagrad.initial_accumulator", spec.initial_accumulator, Range::kNotNegative);
  visit("adagrad.epsilon", spec.epsilon, Range::kPositive);
}

template <typename Visit>
void Fields(const RowwiseAdagradSpec& spec, const Visit& visit) {
  visit("rowwise_adagrad.learning_rate", spec.learning_rate, Range::kPositive);
  visit("rowwise_adagrad.initial_accumulator", spec.initial_accumulator, Range::kNotNegative);
  visit("rowwise_adagrad.epsilon", spec.epsilon, Range::kPositive);
}

template <typename Visit>
void Fields(const AdamSpec& spec, const Visit& visit) {
  visit("adam.learning_rate", spec.learning_rate, Range::kPositive);
  visit("adam.beta1", spec.beta1, Range::kBelowOne);
  visit("adam.beta2", spec.beta2, Range::kBelowOne);
  visit("adam.epsilon", spec.epsilon, Range::kPositive);
}

template <typename Visit>
void Fields(const FtrlSpec& spec, const Visit& visit) {
  visit("ftrl.alpha", spec.alpha, Range::kPositive);
  visit("ftrl.beta", spec.beta, Range::kPositive);
  visit("ftrl.l1", spec.l1, Range::kNotNegative);
  visit("ftrl.l2", spec.l2, Range::kNotNegative);
}

template <typename Visit>
void Fields(const ConstantSpec& spec, const Visit& visit) {
  visit("constant.value", spec.value, Range::kAny);
}

template <typename Visit>
void Fields(const UniformSpec& spec, const Visit& visit) {
  visit("uniform.low", spec.low, Range::kAny);
  visit("uniform.high", spec.high, Range::kAny);
}

template <typename Visit>
void Fields(const NormalSpec& spec, const Visit& visit) {
  visit("normal.mean", spec.mean, Range::kAny);
  visit("normal.stddev", spec.stddev, Range::kNotNegative);
}

template <typename Visit>
void Fields(const TruncatedNormalSpec& spec, const Visit& visit) {
  visit("truncated_normal.mean", spec.mean, Range::kAny);
  visit("truncated_normal.stddev", spec.stddev, Range::kNotNegative);
}

template <typename Visit>
void FloatFields(const TableSpec& spec, const Visit& visit) {
  std::visit([&](const auto& rule) { Fields(rule, visit); }, spec.optimizer.rule);
  visit("weight_decay", spec.optimizer.weight_decay, Range::kNotNegative);
  visit("gradient_clip", spec.optimizer.gradient_clip, Range::kNotNegative);
  visit("gradient_norm_clip", spec.optimizer.gradient_norm_clip, Range::kNotNegative);
  visit("weight_clip", spec.optimizer.weight_clip, Range::kNotNegative);
  std::visit([&](const auto& start) { Fields(start, visit); }, spec.initializer);
}

// The floats that came later, kept apart: fingerprints of specs without them must not change.
template <typename Visit>
void LaterFloatFields(const TableSpec& spec, const Visit& visit) {
  const FrequencySpec& frequency = spec.optimizer.frequency;
  visit("frequency.rate_power", frequency.rate_power, Range::kNotNegative);
  visit("frequency.rate_from", frequency.rate_from, Range::kPositive);
  visit("frequency.decay_power", frequency.decay_power, Range::kAny);
  visit("frequency.cow_clip", frequency.cow_clip, Range::kNotNegative);
  visit("frequency.cow_clip_floor", frequency.cow_clip_floor, Range::kNotNegative);
  visit("frequency.idle_decay", frequency.idle_decay, Range::kBelowOne);
  visit("frequency.group_lasso", frequency.group_lasso, Range::kNotNegative);
  visit("eviction.min_norm", spec.eviction.min_norm, Range::kNotNegative);
}

bool IsPower(float power) {
  const float quarters = power * 4;
  return std::fabs(power) <= 2 && std::trunc(quarters) == quarters;
}

std::optional<std::string> WrongFrequency(const OptimizerSpec& optimizer) {
  const FrequencySpec& frequency = optimizer.frequency;
  if (!IsPower(frequency.rate_power)) {
    return absl::StrCat("frequency.rate_power ", frequency.rate_power,
                        ": want 0..2, a multiple of 0.25");
  }
  if (!IsPower(frequency.decay_power)) {
    return absl::StrCat("frequency.decay_power ", frequency.decay_power,
                        ": want -2..2, a multiple of 0.25");
  }
  if (frequency.rate_from < 1) {
    return absl::StrCat("frequency.rate_from ", frequency.rate_from, ": want at least 1");
  }
  const bool shrinks = frequency.idle_decay > 0 || frequency.group_lasso > 0;
  if (shrinks && std::holds_alternative<FtrlSpec>(optimizer.rule)) {
    return absl::StrCat(
        frequency.idle_decay > 0 ? "frequency.idle_decay " : "frequency.group_lasso ",
        frequency.idle_decay > 0 ? frequency.idle_decay : frequency.group_lasso,
        ": want 0 with ftrl, whose weights follow from its state");
  }
  return std::nullopt;
}

std::optional<std::string> WrongFormat(const char* name, const RowFormat& format) {
  if (format.weights > WeightFormat::kShared) {
    return absl::StrCat(name, ".weights ", static_cast<unsigned>(format.weights),
                        ": want 0 (fp32), 1 (bf16), 2 (fp16), 3 (int8) or 4 (shared)");
  }
  if (format.state > StateFormat::kBfloat16) {
    return absl::StrCat(name, ".state ", static_cast<unsigned>(format.state),
                        ": want 0 (fp32) or 1 (bf16)");
  }
  return std::nullopt;
}

// Keys below it have counts that are exact in any case.
constexpr std::uint32_t kAdmissionMax = std::uint32_t{1} << 20;

std::optional<std::string> WrongShare(const TailSpec& tail) {
  if (tail.below > kAdmissionMax) {
    return absl::StrCat("tail.below ", tail.below, ": want at most ", kAdmissionMax,
                        " with shared weights");
  }
  const std::pair<const char*, std::uint32_t> bits[] = {{"field_bits", tail.field_bits},
                                                        {"bucket_bits", tail.bucket_bits}};
  for (const auto& [name, value] : bits) {
    if (value > 16) return absl::StrCat("tail.", name, " ", value, ": want 0..16");
  }
  if (tail.rowwise_state) {
    return std::string(
        "tail.rowwise_state true: want false with shared weights, which have no "
        "state");
  }
  return std::nullopt;
}

std::optional<std::string> WrongRows(const TableSpec& spec) {
  if (auto wrong = WrongFormat("format", spec.format)) return wrong;
  if (spec.format.weights == WeightFormat::kShared) {
    return std::string("format.weights 4 (shared): want it in the tail alone");
  }
  if (auto wrong = WrongFormat("tail.format", spec.tail.format)) return wrong;
  if (spec.tail.rowwise_state && !std::holds_alternative<AdagradSpec>(spec.optimizer.rule)) {
    return std::string(
        "tail.rowwise_state true: want false but for adagrad, whose state alone has "
        "a form for a whole row");
  }
  const bool shares = spec.tail.format.weights == WeightFormat::kShared;
  if (shares) return WrongShare(spec.tail);
  if (spec.tail.field_bits != 0 || spec.tail.bucket_bits != 0) {
    return absl::StrCat(spec.tail.field_bits != 0 ? "tail.field_bits " : "tail.bucket_bits ",
                        spec.tail.field_bits != 0 ? spec.tail.field_bits : spec.tail.bucket_bits,
                        ": want 0 but for shared weights");
  }
  return std::nullopt;
}

// Bytes of the least budget: two full rows, and not less than 64 KiB.
std::uint64_t LeastBudget(const TableSpec& spec) {
  const sparse::RowLayout layout(spec);
  return std::max<std::uint64_t>(std::uint64_t{64} << 10, 2 * layout.budget_bytes(false));
}

std::optional<std::string> WrongEviction(const TableSpec& spec) {
  const EvictionSpec& eviction = spec.eviction;
  constexpr std::uint32_t kStepsMax = std::uint32_t{1} << 24;
  const std::pair<const char*, std::uint32_t> steps[] = {{"idle_steps", eviction.idle_steps},
                                                         {"half_life", eviction.half_life},
                                                         {"sweep_steps", eviction.sweep_steps}};
  for (const auto& [name, value] : steps) {
    if (value > kStepsMax) {
      return absl::StrCat("eviction.", name, " ", value, ": want at most ", kStepsMax,
                          ", the steps that a row's last one is known for");
    }
  }
  if (eviction.sweep_steps == 0) return std::string("eviction.sweep_steps 0: want at least 1");
  if (eviction.budget_policy > BudgetPolicy::kEvictLowest) {
    return absl::StrCat("eviction.budget_policy ", static_cast<unsigned>(eviction.budget_policy),
                        ": want 0 (refuse) or 1 (evict_lowest)");
  }
  if (eviction.budget_bytes != 0 && eviction.budget_bytes < LeastBudget(spec)) {
    return absl::StrCat("eviction.budget_bytes ", eviction.budget_bytes, ": want 0 or at least ",
                        LeastBudget(spec), " a partition");
  }
  return std::nullopt;
}

// A count table has none of what a table of weights is told.
std::optional<std::string> WrongCounts(const TableSpec& spec) {
  if (spec.dim == 0 || spec.dim > kCountColumnsMax) {
    return absl::StrCat("dim ", spec.dim, ": want 1..", kCountColumnsMax, " columns of counts");
  }
  const TableSpec plain{.name = spec.name, .dim = spec.dim, .kind = spec.kind};
  const std::pair<const char*, bool> fields[] = {
      {"optimizer", spec.optimizer == plain.optimizer},
      {"initializer", spec.initializer == plain.initializer},
      {"seed", spec.seed == plain.seed},
      {"linear_columns", spec.linear_columns == plain.linear_columns},
      {"format", spec.format == plain.format},
      {"tail", spec.tail == plain.tail},
      {"eviction", spec.eviction == plain.eviction}};
  for (const auto& [name, is_default] : fields) {
    if (!is_default) {
      return absl::StrCat(name, ": is set: want the default, for a table of counts has none");
    }
  }
  return std::nullopt;
}

// The first thing wrong with a spec whose name is right, without the table's name.
std::optional<std::string> Wrong(const TableSpec& spec) {
  if (spec.kind > TableKind::kCounts) {
    return absl::StrCat("kind ", static_cast<unsigned>(spec.kind),
                        ": want 0 (weights) or 1 (counts)");
  }
  if (spec.kind == TableKind::kCounts) return WrongCounts(spec);
  if (spec.dim == 0 || spec.dim > kRowDimMax) {
    return absl::StrCat("dim ", spec.dim, ": want 1..", kRowDimMax);
  }
  std::optional<std::string> wrong;
  const auto check = [&](const char* name, float value, Range range) {
    if (wrong || IsIn(range, value)) return;
    wrong = absl::StrCat(name, " ", value, ": want ", Wanted(range));
  };
  FloatFields(spec, check);
  LaterFloatFields(spec, check);
  if (wrong) return wrong;
  if (const auto* momentum = std::get_if<MomentumSpec>(&spec.optimizer.rule)) {
    const auto kind = static_cast<unsigned>(momentum->kind);
    if (kind > static_cast<unsigned>(MomentumKind::kNesterov)) {
      return absl::StrCat("momentum.kind ", kind, ": want 0 (heavy ball) or 1 (Nesterov)");
    }
  }
  if (const auto* uniform = std::get_if<UniformSpec>(&spec.initializer)) {
    if (uniform->high < uniform->low) {
      return absl::StrCat("uniform.high ", uniform->high, ": want at least uniform.low ",
                          uniform->low);
    }
  }
  if (spec.linear_columns > spec.dim) {
    return absl::StrCat("linear_columns ", spec.linear_columns, ": want at most dim ", spec.dim);
  }
  if ((wrong = WrongFrequency(spec.optimizer))) return wrong;
  if ((wrong = WrongRows(spec))) return wrong;
  return WrongEviction(spec);
}

}  // namespace

absl::Status Validate(const TableSpec& spec) {
  if (!IsMetricName(spec.name)) {
    return absl::InvalidArgumentError(absl::StrCat("table name '", spec.name,
                                                   "': want [a-z][a-z0-9_]*, at most ",
                                                   kNameSizeMax, " characters"));
  }
  if (const auto wrong = Wrong(spec)) {
    return absl::InvalidArgumentError(absl::StrCat("table '", spec.name, "': ", *wrong));
  }
  return absl::OkStatus();
}

// Never change the order here: fingerprints are kept in checkpoints.
std::uint64_t Fingerprint(const TableSpec& spec) {
  std::string bytes;
  ByteWriter writer(bytes);
  writer.U8(1);  // Version of this encoding.
  writer.Text(spec.name);
  writer.U32(spec.dim);
  writer.U64(spec.seed);
  writer.U32(spec.linear_columns);
  writer.U8(static_cast<std::uint8_t>(spec.optimizer.rule.index()));
  const auto* momentum = std::get_if<MomentumSpec>(&spec.optimizer.rule);
  writer.U8(momentum != nullptr ? static_cast<std::uint8_t>(momentum->kind) : 0);
  writer.U8(static_cast<std::uint8_t>(spec.initializer.index()));
  const auto add = [&](const char*, float value, Range) {
    writer.F32(value == 0 ? 0.0F : value);  // -0 equals 0.
  };
  FloatFields(spec, add);
  if (UsesLaterFields(spec)) {
    LaterFloatFields(spec, add);
    for (const RowFormat& format : {spec.format, spec.tail.format}) {
      writer.U8(static_cast<std::uint8_t>(format.weights));
      writer.U8(static_cast<std::uint8_t>(format.state));
    }
    writer.U32(spec.tail.below);
    writer.U8(spec.tail.rowwise_state ? 1 : 0);
    writer.U32(spec.tail.field_bits);
    writer.U32(spec.tail.bucket_bits);
    writer.U32(spec.eviction.idle_steps);
    writer.U32(spec.eviction.min_score);
    writer.U32(spec.eviction.half_life);
    writer.U32(spec.eviction.sweep_steps);
    writer.U64(spec.eviction.budget_bytes);
    writer.U8(static_cast<std::uint8_t>(spec.eviction.budget_policy));
  }
  if (spec.kind != TableKind::kWeights) writer.U8(static_cast<std::uint8_t>(spec.kind));
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace longtail
