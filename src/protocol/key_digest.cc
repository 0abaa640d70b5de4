#include "protocol/key_digest.h"

#define XXH_INLINE_ALL  // No state on the heap, no symbol to clash with.
#include <xxhash.h>

namespace longtail {

KeyDigest DigestOf(std::span<const Key> keys) {
  const XXH128_hash_t hash = XXH3_128bits(keys.data(), keys.size_bytes());
  return {.low = hash.low64, .high = hash.high64};
}

}  // namespace longtail
