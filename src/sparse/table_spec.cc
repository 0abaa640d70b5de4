#include "longtail/table_spec.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <variant>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/limits.h"

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

// The first thing wrong with a spec whose name is right, without the table's name.
std::optional<std::string> Wrong(const TableSpec& spec) {
  if (spec.dim == 0 || spec.dim > kRowDimMax) {
    return absl::StrCat("dim ", spec.dim, ": want 1..", kRowDimMax);
  }
  std::optional<std::string> wrong;
  FloatFields(spec, [&](const char* name, float value, Range range) {
    if (wrong || IsIn(range, value)) return;
    wrong = absl::StrCat(name, " ", value, ": want ", Wanted(range));
  });
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
  return std::nullopt;
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
  FloatFields(spec, [&](const char*, float value, Range) {
    writer.F32(value == 0 ? 0.0F : value);  // -0 equals 0.
  });
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace longtail
