#include "examples/common/metrics/streaming_auc.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace longtail::examples {
namespace {

constexpr double kLogitMax = 16;
constexpr double kBinsPerUnit = 64;
constexpr std::size_t kInnerBinCount = std::size_t{2 * 16 * 64};

std::size_t BinOf(double logit) {
  if (logit < -kLogitMax) return 0;
  if (logit >= kLogitMax) return kInnerBinCount + 1;
  return 1 + static_cast<std::size_t>((logit + kLogitMax) * kBinsPerUnit);
}

}  // namespace

StreamingAuc::StreamingAuc() : bins_(kInnerBinCount + 2) {}

void StreamingAuc::Add(bool positive, float logit) {
  if (std::isnan(logit)) {
    ++nan_count_;
    return;
  }
  Bin& bin = bins_[BinOf(double{logit})];
  ++(positive ? bin.positive_count : bin.negative_count);
}

void StreamingAuc::Merge(const StreamingAuc& other) {
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    bins_[i].positive_count += other.bins_[i].positive_count;
    bins_[i].negative_count += other.bins_[i].negative_count;
  }
  nan_count_ += other.nan_count_;
}

void StreamingAuc::Clear() {
  std::ranges::fill(bins_, Bin{});
  nan_count_ = 0;
}

StreamingAuc::Sums StreamingAuc::Sum() const {
  Sums sums;
  for (const Bin& bin : bins_) {
    const auto positives = static_cast<double>(bin.positive_count);
    const auto negatives = static_cast<double>(bin.negative_count);
    sums.wins += positives * (sums.negatives + negatives / 2);
    sums.ties += positives * negatives;
    sums.positives += positives;
    sums.negatives += negatives;
  }
  return sums;
}

std::optional<double> StreamingAuc::Value() const {
  const Sums sums = Sum();
  if (sums.positives == 0 || sums.negatives == 0) return std::nullopt;
  return sums.wins / (sums.positives * sums.negatives);
}

std::optional<double> StreamingAuc::ErrorBound() const {
  const Sums sums = Sum();
  if (sums.positives == 0 || sums.negatives == 0) return std::nullopt;
  return sums.ties / (2 * sums.positives * sums.negatives);
}

std::string StreamingAuc::Save() const {
  std::string text = absl::StrCat("nan:", nan_count_);
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i].positive_count == 0 && bins_[i].negative_count == 0) continue;
    absl::StrAppend(&text, ",", i, ":", bins_[i].positive_count, ":", bins_[i].negative_count);
  }
  return text;
}

absl::StatusOr<StreamingAuc> StreamingAuc::Load(std::string_view text) {
  StreamingAuc auc;
  const std::vector<std::string> parts = absl::StrSplit(std::string(text), ',');
  for (const std::string& part : parts) {
    const std::vector<std::string> words = absl::StrSplit(part, ':');
    std::size_t bin = 0;
    const bool is_nan = &part == &parts.front() && words.size() == 2 && words[0] == "nan" &&
                        absl::SimpleAtoi(words[1], &auc.nan_count_);
    const bool is_bin = &part != &parts.front() && words.size() == 3 &&
                        absl::SimpleAtoi(words[0], &bin) && bin < auc.bins_.size() &&
                        absl::SimpleAtoi(words[1], &auc.bins_[bin].positive_count) &&
                        absl::SimpleAtoi(words[2], &auc.bins_[bin].negative_count);
    if (!is_nan && !is_bin) {
      return absl::DataLossError(absl::StrCat("counts of an AUC: '", part.substr(0, 40), "'"));
    }
  }
  return auc;
}

}  // namespace longtail::examples
