// Reproducible floats for the tests of layers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "examples/common/nn/counter_random.h"

namespace longtail::examples {

/// `count` numbers, uniform in [-0.9, 1.1): not symmetric, hardly ever zero.
inline std::vector<float> RandomFloats(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 2 * UnitUniform(StreamKey(seed, i)) - 0.9F;
  return values;
}

}  // namespace longtail::examples
