// The key of a categorical value: which row of the embedding table it is.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

#include "longtail/ids.h"

namespace longtail::examples {

/// The part of every key of one field that depends on the field's name alone; computed once.
inline std::uint64_t FieldSeed(std::string_view field) {
  return XXH3_64bits(field.data(), field.size());
}

/// The key of `token` in the field of `field_seed`. It depends on the field's name and the token's
/// bytes only, so neither the order of the fields nor the file it came from matters, and equal
/// tokens of two fields are two keys.
///
/// Source: XXH3 64 bits, https://github.com/Cyan4973/xxHash, seeded with XXH3 of the field's name.
inline Key FeatureKey(std::uint64_t field_seed, std::string_view token) {
  return XXH3_64bits_withSeed(token.data(), token.size(), field_seed);
}

}  // namespace longtail::examples
