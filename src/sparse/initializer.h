// The values of a row that nobody has trained yet.
//
// Each is a pure function of (table seed, key, column): reads leave no trace, and replicas agree
// without shipping initial values. Only + - * / sqrt in double and bit operations are used, so that
// every compiler and machine gives the same bits.
#pragma once

#include <cstdint>
#include <span>

#include "longtail/ids.h"
#include "longtail/table_spec.h"

namespace longtail::sparse {

/// What an Initializer takes from a TableSpec.
class Initializer {
 public:
  /// Needs a valid spec.
  explicit Initializer(const TableSpec& spec)
      : spec_(spec.initializer), seed_(spec.seed), linear_columns_(spec.linear_columns) {}

  /// Writes the initial weights of a row.
  ///
  /// Shapes: weights [dim]. Column c depends on (seed, key, c) alone and not on dim.
  void Fill(Key key, std::span<float> weights) const;

 private:
  InitializerSpec spec_;
  std::uint64_t seed_;
  std::uint32_t linear_columns_;
};

/// The quantile of the standard normal distribution at p, 0 < p < 1, without libm.
///
/// The relative error is below 1e-15 for p in [2^-53, 1 - 2^-53].
///
/// Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied
///         Statistics 37 (1988), PPND16.
double NormalQuantile(double p);

/// The natural logarithm of a normal x > 0, without libm, with a relative error below 1e-15.
double PortableLog(double x);

}  // namespace longtail::sparse
