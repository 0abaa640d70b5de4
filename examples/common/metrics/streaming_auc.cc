#include "examples/common/metrics/streaming_auc.h"

#include <algorithm>
#include <cmath>

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

}  // namespace longtail::examples
