#include "sparse/initializer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <variant>

#include "base/random.h"

namespace longtail::sparse {
namespace {

// Coefficients of AS 241, PPND16, from the highest power down.
constexpr std::array<double, 8> kCentreNumerator{
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
    4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
    1.3314166789178437745e+2, 3.3871328727963666080e+0};
constexpr std::array<double, 8> kCentreDenominator{
    5.2264952788528545610e+3, 2.8729085735721942674e+4,
    3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2,
    4.2313330701600911252e+1, 1.0};
constexpr std::array<double, 8> kMiddleNumerator{
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
    4.63033784615654529590e+0, 1.42343711074968357734e+0};
constexpr std::array<double, 8> kMiddleDenominator{
    1.05075007164441684324e-9, 5.47593808499534494600e-4,
    1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e+0,
    2.05319162663775882187e+0, 1.0};
constexpr std::array<double, 8> kTailNumerator{
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
    5.46378491116411436990e+0, 6.65790464350110377720e+0};
constexpr std::array<double, 8> kTailDenominator{
    2.04426310338993978564e-15, 1.42151175831644588870e-7,
    1.84631831751005468180e-5,  7.86869131145613259100e-4,
    1.48753612908506148525e-2,  1.36929880922735805310e-1,
    5.99832206555887937690e-1,  1.0};

constexpr double kTwoSigmaTail = 0.022750131948179207;  // The normal distribution below -2.

double Polynomial(const std::array<double, 8>& coefficients, double x) {
  double sum = coefficients[0];
  for (std::size_t i = 1; i < coefficients.size(); ++i) sum = sum * x + coefficients[i];
  return sum;
}

// One of 2^52 equally spaced numbers, neither 0 nor 1.
double OpenUnit(std::uint64_t bits) {
  return (static_cast<double>(bits >> 12) + 0.5) * 0x1.0p-52;
}

double Wide(float value) {
  return static_cast<double>(value);
}

float Draw(const ConstantSpec& spec, std::uint64_t) {
  return spec.value;
}

float Draw(const UniformSpec& spec, std::uint64_t bits) {
  const double width = Wide(spec.high) - Wide(spec.low);
  return static_cast<float>(Wide(spec.low) + width * Wide(UnitFloat(bits)));
}

float Draw(const NormalSpec& spec, std::uint64_t bits) {
  return static_cast<float>(Wide(spec.mean) + Wide(spec.stddev) * NormalQuantile(OpenUnit(bits)));
}

float Draw(const TruncatedNormalSpec& spec, std::uint64_t bits) {
  const double p = kTwoSigmaTail + (1 - 2 * kTwoSigmaTail) * OpenUnit(bits);
  const double z = std::clamp(NormalQuantile(p), -2.0, 2.0);
  return static_cast<float>(Wide(spec.mean) + Wide(spec.stddev) * z);
}

}  // namespace

// Source: the series of 2 artanh(s) = log((1 + s) / (1 - s)), with x = 2^e m and m in
//         [sqrt(1/2), sqrt(2)), so that s^2 < 0.0295 and eleven terms reach double precision.
double PortableLog(double x) {
  constexpr double kLog2High = 0x1.62e42fefa38p-1;  // Its last bits are zero: times e is exact.
  constexpr double kLog2Low = 0x1.ef35793c7673p-45;
  constexpr double kSqrt2 = 1.4142135623730951;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFU) | 0x3FF0000000000000U);
  if (m >= kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double square = s * s;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = (sum + 1.0 / k) * square;
  const double e = exponent;
  return e * kLog2High + (2 * s + (2 * s * sum + e * kLog2Low));
}

double NormalQuantile(double p) {
  const double q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * Polynomial(kCentreNumerator, r) / Polynomial(kCentreDenominator, r);
  }
  const double r = std::sqrt(-PortableLog(q < 0 ? p : 1 - p));
  const double x =
      r <= 5 ? Polynomial(kMiddleNumerator, r - 1.6) / Polynomial(kMiddleDenominator, r - 1.6)
             : Polynomial(kTailNumerator, r - 5) / Polynomial(kTailDenominator, r - 5);
  return q < 0 ? -x : x;
}

void Initializer::Fill(Key key, std::span<float> weights) const {
  const std::size_t linear = std::min<std::size_t>(linear_columns_, weights.size());
  std::fill_n(weights.begin(), linear, 0.0F);
  const std::uint64_t stream = RandomStream(seed_, key);
  std::visit(
      [&](const auto& spec) {
        for (std::size_t c = linear; c < weights.size(); ++c) {
          weights[c] = Draw(spec, RandomAt(stream, c));
        }
      },
      spec_);
}

}  // namespace longtail::sparse
