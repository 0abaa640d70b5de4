#include "sparse/distinct_keys.h"

#include <cmath>
#include <limits>

namespace longtail::sparse {
namespace {

constexpr double kAlpha = 0.72134752044448170368;  // 1 / (2 ln 2)

// x + sum over k of x^(2^k) 2^(k-1), which the registers without a key are worth.
double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double sum = x;
  double last = 0;
  for (double y = 1; sum != last; y += y) {
    x *= x;
    last = sum;
    sum += x * y;
  }
  return sum;
}

// (1 - x - sum over k of (1 - x^(2^-k))^2 2^-k) / 3, for those that are at their highest.
double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double sum = 1 - x;
  double last = 0;
  for (double y = 0.5; sum != last; y *= 0.5) {
    x = std::sqrt(x);
    last = sum;
    sum -= (1 - x) * (1 - x) * y;
  }
  return sum / 3;
}

}  // namespace

std::uint64_t DistinctKeys::Estimate() const {
  std::array<std::uint32_t, kRestBits + 2> registers{};  // By rank.
  for (const std::uint8_t rank : ranks_) ++registers[rank];
  constexpr auto kAll = static_cast<double>(kRegisters);
  double sum = kAll * Tau(1 - registers[kRestBits + 1] / kAll);
  for (std::size_t rank = kRestBits; rank >= 1; --rank) sum = (sum + registers[rank]) / 2;
  sum += kAll * Sigma(registers[0] / kAll);
  return static_cast<std::uint64_t>(kAlpha * kAll * kAll / sum + 0.5);
}

}  // namespace longtail::sparse
