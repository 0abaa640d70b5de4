#include "examples/common/data/cell_rules.h"

#include <regex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "examples/common/data/feature_key.h"
#include "examples/common/data/line_problem.h"
#include "examples/common/data/parse_number.h"

namespace longtail::examples {
namespace {

constexpr std::size_t kBucketTextSize = 32;

// The token of bucket `number`, written into `buffer`.
std::string_view BucketText(const char* prefix, double number,
                            std::array<char, kBucketTextSize>& buffer) {
  char* at = buffer.data();
  for (; *prefix != '\0'; ++prefix) *at++ = *prefix;
  const auto whole = static_cast<long long>(number);
  const auto result = std::to_chars(at, buffer.data() + buffer.size(), whole);
  return {buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data())};
}

}  // namespace

bool NumberRule::Apply(std::string_view cell, float& number, std::string& message) const {
  if (cell.empty()) {
    number = spec_.missing;
    return true;
  }
  const std::optional<double> parsed = ParseNumber(cell);
  double x = parsed.value_or(0);
  if (spec_.transform == Transform::kLog1p) {
    x = std::copysign(std::log1p(std::abs(x)), x);
  } else if (spec_.transform == Transform::kStandardise) {
    x = (x - spec_.mean) / spec_.deviation;
  }
  number = static_cast<float>(x);
  if (parsed.has_value() && std::isfinite(number)) return true;
  message = absl::StrCat("column '", spec_.column, "': ", Quoted(cell),
                         " is not a number; wanted a finite one or an empty cell");
  return false;
}

// A compiled expression, shared by the copies of a rule.
struct TokenRule::Pattern {
  Pattern() = default;
  ~Pattern() {
    if (is_compiled) regfree(&expression);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  regex_t expression{};
  bool is_compiled = false;
};

TokenRule::TokenRule(const FeatureSpec& spec)
    : spec_(spec),
      seed_(FieldSeed(spec.field)),
      is_plain_(spec.separator.empty() && spec.extract.empty() && !spec.lower_case &&
                !spec.missing_key && spec.bucketing == Bucketing::kNone) {}

absl::StatusOr<TokenRule> TokenRule::Make(const FeatureSpec& spec) {
  TokenRule rule(spec);
  if (spec.extract.empty()) return rule;
  auto pattern = std::make_shared<Pattern>();
  const int error = regcomp(&pattern->expression, spec.extract.c_str(), REG_EXTENDED);
  pattern->is_compiled = error == 0;
  if (error != 0) {
    std::array<char, 128> reason{};
    regerror(error, &pattern->expression, reason.data(), reason.size());
    return absl::InvalidArgumentError(absl::StrCat("schema: feature '", spec.field, "': extract ",
                                                   Quoted(spec.extract), ": ", reason.data(),
                                                   "; wanted a POSIX extended regular expression"));
  }
  if (pattern->expression.re_nsub != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("schema: feature '", spec.field, "': extract ", Quoted(spec.extract), " has ",
                     static_cast<std::size_t>(pattern->expression.re_nsub), " groups; wanted one"));
  }
  rule.pattern_ = std::move(pattern);
  return rule;
}

Key TokenRule::PlainKey(std::string_view token) const {
  return FeatureKey(seed_, token);
}

bool TokenRule::Apply(std::string_view cell, std::vector<Key>& keys, std::string& message) const {
  const std::size_t before = keys.size();
  if (!ApplyCell(cell, keys, message)) return false;
  if (spec_.missing_key && keys.size() == before) keys.push_back(PlainKey(""));
  return true;
}

bool TokenRule::ApplyCell(std::string_view cell, std::vector<Key>& keys,
                          std::string& message) const {
  if (cell.empty()) return true;
  if (is_plain_) {
    keys.push_back(PlainKey(cell));
    return true;
  }
  if (spec_.separator.empty()) return ApplyToken(cell, keys, message);
  while (true) {
    const std::size_t end = cell.find(spec_.separator);
    if (!ApplyToken(cell.substr(0, end), keys, message)) return false;
    if (end == std::string_view::npos) return true;
    cell.remove_prefix(end + spec_.separator.size());
  }
}

bool TokenRule::ApplyToken(std::string_view token, std::vector<Key>& keys,
                           std::string& message) const {
  if (token.empty()) return true;
  if (pattern_ != nullptr) {
    // REG_STARTEND: the text is the range in match[0] and may hold zero bytes. It ends in one all
    // the same, since the address sanitizer's regexec looks for it.
    const std::string text(token);
    std::array<regmatch_t, 2> match{};
    match[0].rm_so = 0;
    match[0].rm_eo = static_cast<regoff_t>(token.size());
    const int result =
        regexec(&pattern_->expression, text.c_str(), match.size(), match.data(), REG_STARTEND);
    if (result != 0 || match[1].rm_so < 0) return true;
    token = token.substr(static_cast<std::size_t>(match[1].rm_so),
                         static_cast<std::size_t>(match[1].rm_eo - match[1].rm_so));
    if (token.empty()) return true;
  }
  std::string lowered;
  if (spec_.lower_case) {
    lowered = token;
    std::ranges::transform(lowered, lowered.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    token = lowered;
  }
  if (spec_.bucketing == Bucketing::kNone) {
    keys.push_back(PlainKey(token));
    return true;
  }
  const std::optional<double> number = ParseNumber(token);
  if (!number.has_value()) {
    message = absl::StrCat("column '", spec_.column, "': ", Quoted(token),
                           " has no bucket; wanted a finite number or an empty cell");
    return false;
  }
  std::array<char, kBucketTextSize> buffer;
  if (spec_.bucketing == Bucketing::kBoundaries) {
    const auto above = std::ranges::upper_bound(spec_.boundaries, *number);
    const auto bucket = static_cast<double>(above - spec_.boundaries.begin());
    keys.push_back(PlainKey(BucketText("", bucket, buffer)));
  } else if (*number > 2) {
    // Source: 3 Idiots' solution of the Criteo challenge, 2014: floor(ln(x)^2) for x > 2, and the
    // number itself, marked so that it cannot be mistaken for a bucket, otherwise.
    const double log = std::log(*number);
    keys.push_back(PlainKey(BucketText("", std::floor(log * log), buffer)));
  } else {
    const double small = std::max(std::floor(*number), -1e15);
    keys.push_back(PlainKey(BucketText("SP", small, buffer)));
  }
  return true;
}

}  // namespace longtail::examples
