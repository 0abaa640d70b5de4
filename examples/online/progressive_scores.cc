#include "examples/online/progressive_scores.h"

#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "base/logistic.h"
#include "base/status_macros.h"

namespace longtail::examples {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;

void AddTo(HourScores& scores, std::size_t bucket, bool is_click, double logit) {
  ++scores.examples;
  scores.clicks += is_click ? 1 : 0;
  scores.log_loss += LogLossOf(logit, is_click ? 1 : 0, std::exp(-std::abs(logit)));
  scores.buckets[bucket].Add(is_click, static_cast<float>(logit));
}

std::string HourText(std::int64_t hour, const HourScores& scores) {
  const absl::Time begin = absl::FromUnixMillis(hour * kHourMs);
  return ScoresText(absl::FormatTime("%Y-%m-%d %H:00", begin, absl::UTCTimeZone()), scores);
}

// (%a gives every bit of a double.)
std::string SaveScores(const HourScores& scores) {
  std::string text = absl::StrFormat("%d %d %a", scores.examples, scores.clicks, scores.log_loss);
  for (const StreamingAuc& bucket : scores.buckets) absl::StrAppend(&text, " ", bucket.Save());
  return text;
}

absl::StatusOr<HourScores> LoadScores(const std::vector<std::string>& words, std::size_t first) {
  HourScores scores;
  if (words.size() != first + 3 + kCountBucketCount ||
      !absl::SimpleAtoi(words[first], &scores.examples) ||
      !absl::SimpleAtoi(words[first + 1], &scores.clicks)) {
    return absl::DataLossError("scores: a line is not one of ours");
  }
  scores.log_loss = std::strtod(words[first + 2].c_str(), nullptr);
  for (std::size_t b = 0; b < kCountBucketCount; ++b) {
    LONGTAIL_ASSIGN_OR_RETURN(scores.buckets[b], StreamingAuc::Load(words[first + 3 + b]));
  }
  return scores;
}

}  // namespace

StreamingAuc HourScores::All() const {
  StreamingAuc all;
  for (const StreamingAuc& bucket : buckets) all.Merge(bucket);
  return all;
}

std::string ScoresText(std::string_view name, const HourScores& scores) {
  const auto value = [](const StreamingAuc& auc) {
    const std::optional<double> known = auc.Value();
    return known ? absl::StrFormat("%.4f", *known) : std::string("-");
  };
  std::string text = absl::StrFormat(
      "%s: %d examples, %d clicks, log loss %.4f, AUC %s (", std::string(name), scores.examples,
      scores.clicks,
      scores.examples == 0 ? 0 : scores.log_loss / static_cast<double>(scores.examples),
      value(scores.All()));
  for (std::size_t b = 0; b < kCountBucketCount; ++b) {
    absl::StrAppend(&text, b == 0 ? "" : ", ", std::string(kCountBuckets[b].name), ": ",
                    value(scores.buckets[b]));
  }
  return text + ")";
}

void ProgressiveScores::Add(std::int64_t at_ms, std::uint64_t rarest, bool is_click, double logit) {
  const std::size_t bucket = IndexOf(BucketOf(rarest));
  AddTo(total_, bucket, is_click, logit);
  AddTo(hours_[at_ms / kHourMs], bucket, is_click, logit);
}

std::vector<std::string> ProgressiveScores::TakeHoursBefore(std::int64_t at_ms) {
  std::vector<std::string> lines;
  while (!hours_.empty() && (hours_.begin()->first + 1) * kHourMs <= at_ms) {
    lines.push_back(HourText(hours_.begin()->first, hours_.begin()->second));
    hours_.erase(hours_.begin());
  }
  return lines;
}

std::vector<std::string> ProgressiveScores::Hours() const {
  std::vector<std::string> lines;
  for (const auto& [hour, scores] : hours_) lines.push_back(HourText(hour, scores));
  return lines;
}

std::string ProgressiveScores::Save() const {
  std::string text = absl::StrCat("total ", SaveScores(total_), "\n");
  for (const auto& [hour, scores] : hours_) {
    absl::StrAppend(&text, hour, " ", SaveScores(scores), "\n");
  }
  return text;
}

absl::StatusOr<ProgressiveScores> ProgressiveScores::Load(std::string_view text) {
  ProgressiveScores loaded;
  const std::vector<std::string> lines = absl::StrSplit(std::string(text), '\n');
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const std::vector<std::string> words = absl::StrSplit(lines[i], ' ');
    LONGTAIL_ASSIGN_OR_RETURN(HourScores scores, LoadScores(words, 1));
    std::int64_t hour = 0;
    if (i == 0 && words[0] == "total") {
      loaded.total_ = std::move(scores);
    } else if (i > 0 && absl::SimpleAtoi(words[0], &hour)) {
      loaded.hours_[hour] = std::move(scores);
    } else {
      return absl::DataLossError("scores: a line is not one of ours");
    }
  }
  return loaded;
}

}  // namespace longtail::examples
