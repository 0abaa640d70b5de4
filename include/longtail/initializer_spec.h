// What a row is before it has learned anything.
//
// An initial value is a pure function of (table seed, key, column), the same on every machine.
#pragma once

#include <variant>

namespace longtail {

struct ConstantSpec {
  float value = 0.0F;

  bool operator==(const ConstantSpec&) const = default;
};

/// Uniform between two bounds.
struct UniformSpec {
  float low = -0.01F;
  float high = 0.01F;  ///< >= low.

  bool operator==(const UniformSpec&) const = default;
};

struct NormalSpec {
  float mean = 0.0F;
  float stddev = 0.01F;  ///< >= 0.

  bool operator==(const NormalSpec&) const = default;
};

/// A normal distribution cut off at two `stddev` from its mean. `stddev` is that of the normal
/// distribution before the cut; after it, the standard deviation is 0.8796 of that.
struct TruncatedNormalSpec {
  float mean = 0.0F;
  float stddev = 0.01F;  ///< >= 0.

  bool operator==(const TruncatedNormalSpec&) const = default;
};

/// The initializers there are. The order is part of stored formats: append only.
using InitializerSpec = std::variant<ConstantSpec, UniformSpec, NormalSpec, TruncatedNormalSpec>;

}  // namespace longtail
