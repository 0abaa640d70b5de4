// Zipf-distributed ranks.
#pragma once

#include <cstdint>
#include <vector>

namespace longtail::examples {

/// Draws ranks r in 1..count with probability proportional to r^-exponent, exactly, at a cost that
/// does not depend on count.
///
/// Source: Hörmann, Derflinger, "Rejection-Inversion to Generate Variates from Monotone Discrete
/// Distributions", TOMACS 6 (1996), algorithm for the Zipf distribution.
class ZipfSampler {
 public:
  /// Needs count >= 1 and exponent > 0, both finite.
  ZipfSampler(std::uint64_t count, double exponent);

  /// A rank that depends on `stream` only: its random numbers are RandomBits(stream, 0), 1, …
  /// Cost: 1.1 draws on average, each with one or two exponentials.
  std::uint64_t Draw(std::uint64_t stream) const;

  std::uint64_t count() const { return count_; }

 private:
  double Integral(double x) const;
  double IntegralInverse(double y) const;
  double Density(double x) const;
  double Threshold(double rank) const;

  std::uint64_t count_;
  double exponent_;
  double low_ = 0;                  // Integral up to 1.5, less the density of rank 1.
  double high_ = 0;                 // Integral up to count + 0.5.
  double shortcut_ = 0;             // Ranks this near to the drawn point need no second test.
  std::vector<double> thresholds_;  // Threshold of the first ranks, by rank: most draws are these.
};

}  // namespace longtail::examples
