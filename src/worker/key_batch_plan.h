// What a KeyBatch holds: unique keys in the order they travel, and where each given key went.
#pragma once

#include <cstdint>
#include <vector>

#include "longtail/key_batch.h"
#include "protocol/node_ids.h"

namespace longtail {

/// keys [u] are grouped by partition; partition p's are keys[begins[p]] up to keys[begins[p + 1]].
struct KeyBatch::Plan {
  TableId table{};
  std::uint32_t dim = 0;
  std::vector<Key> keys;
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> inverse;
  std::vector<std::uint32_t> begins;  ///< [P + 1]

  // Work space of the planner, kept for the next fill.
  std::vector<std::uint32_t> slots;             // Open addressing: 1 + provisional number of a key.
  std::vector<Key> first_keys;                  // By provisional number: the key,
  std::vector<std::uint32_t> first_partitions;  // its partition,
  std::vector<std::uint32_t> places;            // and its final place.
};

}  // namespace longtail
