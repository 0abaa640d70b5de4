// Random inputs for tests: same seed, same inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "longtail/ids.h"

namespace longtail::test {

/// n floats between low and high, none of them 0.
inline std::vector<float> Floats(Rng& rng, std::size_t n, float low, float high) {
  std::vector<float> floats(n);
  for (float& value : floats) {
    do {
      value = rng.Uniform(low, high);
    } while (value == 0);
  }
  return floats;
}

/// n keys, each one of `distinct` keys that are spread over all 64 bits and begin with the lowest
/// and the highest there is.
inline std::vector<Key> Keys(Rng& rng, std::size_t n, std::uint64_t distinct) {
  std::vector<Key> keys(n);
  for (Key& key : keys) {
    const std::uint64_t number = rng.Below(distinct);
    key = number == 0 ? 0 : (number == 1 ? ~Key{0} : RandomBits(77, number, 0));
  }
  return keys;
}

/// n counts from 1 to count_max.
inline std::vector<std::uint32_t> Counts(Rng& rng, std::size_t n, std::uint32_t count_max) {
  std::vector<std::uint32_t> counts(n);
  for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(1 + rng.Below(count_max));
  return counts;
}

}  // namespace longtail::test
