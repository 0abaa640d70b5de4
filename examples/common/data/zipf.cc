#include "examples/common/data/zipf.h"

#include <algorithm>
#include <cmath>

#include "examples/common/data/counter_random.h"

namespace longtail::examples {
namespace {

// (exp(x) - 1) / x and log(1 + x) / x, with their limits at 0.
double ExpRatio(double x) {
  return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2;
}
double LogRatio(double x) {
  return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2;
}

constexpr std::uint64_t kThresholdCount = 1024;

}  // namespace

ZipfSampler::ZipfSampler(std::uint64_t count, double exponent)
    : count_(count), exponent_(exponent) {
  low_ = Integral(1.5) - 1;
  high_ = Integral(static_cast<double>(count) + 0.5);
  shortcut_ = 2 - IntegralInverse(Integral(2.5) - Density(2));
  for (std::uint64_t rank = 0; rank < std::min(kThresholdCount, count + 1); ++rank) {
    thresholds_.push_back(rank == 0 ? 0 : Threshold(static_cast<double>(rank)));
  }
}

// The integral of t^-exponent from 1 to x; also right, and smooth, at exponent 1.
double ZipfSampler::Integral(double x) const {
  const double log = std::log(x);
  return ExpRatio((1 - exponent_) * log) * log;
}

double ZipfSampler::IntegralInverse(double y) const {
  const double t = std::max(y * (1 - exponent_), -1.0);
  return std::exp(LogRatio(t) * y);
}

double ZipfSampler::Density(double x) const {
  return std::exp(-exponent_ * std::log(x));
}

// A point drawn for `rank` is kept if it is at least this.
double ZipfSampler::Threshold(double rank) const {
  return Integral(rank + 0.5) - Density(rank);
}

std::uint64_t ZipfSampler::Draw(std::uint64_t stream) const {
  for (std::uint64_t attempt = 0;; ++attempt) {
    const double u = high_ + UnitOf(RandomBits(stream, attempt)) * (low_ - high_);
    const double x = IntegralInverse(u);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(count_));
    const auto whole = static_cast<std::uint64_t>(rank);
    if (rank - x <= shortcut_) return whole;
    if (u >= (whole < thresholds_.size() ? thresholds_[whole] : Threshold(rank))) return whole;
  }
}

}  // namespace longtail::examples
