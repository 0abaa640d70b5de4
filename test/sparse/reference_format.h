// What a row's floats become when they are kept in a format: in double, by the definition of the
// format, with the random bits that the codec documents.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "longtail/row_format.h"

namespace longtail::test {

// Half number i of a stream, as a fraction of 1 in steps of 2^-bits.
inline double Fraction(std::uint64_t stream, std::size_t i, int bits) {
  const std::uint64_t both = RandomAt(stream, i / 2);
  const auto half = static_cast<std::uint32_t>(i % 2 == 0 ? both : both >> 32);
  return std::ldexp(static_cast<double>(half >> (32 - bits)), -bits);
}

// Away from zero if fraction + random reaches one; for formats that round by adding and cutting.
inline double ByCarry(double size, double quantum, double random) {
  const double below = std::floor(size / quantum);
  const double fraction = size / quantum - below;
  return (below + (fraction + random >= 1 ? 1 : 0)) * quantum;
}

// Up if random is below the fraction.
inline double ByFloor(double value, double quantum, double random) {
  const double below = std::floor(value / quantum);
  return (below + (random < value / quantum - below ? 1 : 0)) * quantum;
}

// The quantum of a binary format with so many bits after the point, at a size.
inline double Quantum(double size, int bits, int exponent_min) {
  const int exponent = size == 0 ? exponent_min : std::max(std::ilogb(size), exponent_min);
  return std::ldexp(1.0, exponent - bits);
}

inline float AsBfloat16(float value, std::uint64_t stream, std::size_t i) {
  const double size = std::fabs(static_cast<double>(value));
  const double quantum = Quantum(size, 7, -126);
  double kept = ByCarry(size, quantum, Fraction(stream, i, 16));
  if (kept >= std::ldexp(1.0, 128)) kept = std::floor(size / quantum) * quantum;
  return std::copysign(static_cast<float>(kept), value);
}

inline float AsFloat16(float value, std::uint64_t stream, std::size_t i) {
  const double size = std::fabs(static_cast<double>(value));
  const double quantum = Quantum(size, 10, -14);
  const double kept = size < std::ldexp(1.0, -14) ? ByFloor(size, quantum, Fraction(stream, i, 24))
                                                  : ByCarry(size, quantum, Fraction(stream, i, 13));
  return std::copysign(static_cast<float>(std::min(kept, 65504.0)), value);
}

inline void AsInt8(std::vector<float>& values, std::size_t dim, std::uint64_t stream) {
  double largest = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(values[i])));
  }
  int exponent = -120;
  while (std::ldexp(127.0, exponent) < largest) ++exponent;
  for (std::size_t i = 0; i < dim; ++i) {
    values[i] = static_cast<float>(ByFloor(static_cast<double>(values[i]),
                                           std::ldexp(1.0, exponent), Fraction(stream, i, 24)));
  }
}

// Shapes: values [dim weights, then state, of which the last `exact` keep their bits].
inline void Keep(const RowFormat& format, std::size_t dim, std::size_t exact, std::uint64_t stream,
                 std::vector<float>& values) {
  for (std::size_t i = 0; i < dim; ++i) {
    if (format.weights == WeightFormat::kBfloat16) values[i] = AsBfloat16(values[i], stream, i);
    if (format.weights == WeightFormat::kFloat16) values[i] = AsFloat16(values[i], stream, i);
  }
  if (format.weights == WeightFormat::kInt8) AsInt8(values, dim, stream);
  if (format.state == StateFormat::kFloat32) return;
  for (std::size_t i = dim; i < values.size() - exact; ++i) {
    values[i] = AsBfloat16(values[i], Mix64(~stream), i - dim);
  }
}

}  // namespace longtail::test
