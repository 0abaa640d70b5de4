// What a partition's tables evicted, on its way to an audit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "longtail/eviction_spec.h"
#include "longtail/ids.h"

namespace longtail {

/// A row at the time when it was evicted.
struct EvictedKey {
  Key key = 0;
  EvictionReason reason = EvictionReason::kIdle;
  std::uint32_t count = 0;
  std::uint32_t last_step = 0;
  std::uint32_t step = 0;  ///< In which it was evicted.

  bool operator==(const EvictedKey&) const = default;
};

/// Keys of one table in one partition, in the order in which they went.
struct EvictedKeys {
  std::string table;
  std::vector<EvictedKey> keys;
  std::uint64_t left_out = 0;  ///< More that were too many to keep.
};

}  // namespace longtail
