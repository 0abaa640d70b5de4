// Turns the keys of a batch into a KeyBatch.
#pragma once

#include <cstdint>
#include <span>

#include "longtail/key_batch.h"

namespace longtail {

class KeyBatchPlanner {
 public:
  /// Fills `batch` with `keys`: each once, grouped by partition, in a partition by first
  /// occurrence; so neither the order of the sums nor any row depends on the number of partitions.
  ///
  /// Needs keys.size() <= kKeysPerRequestMax and partition_count a power of two.
  /// Cost: a hash probe a key in a table of 4 bytes a slot, then one pass over the unique ones.
  static void Fill(TableId table, std::uint32_t dim, std::uint32_t partition_count,
                   std::span<const Key> keys, KeyBatch& batch);

  /// Fills `some` with those of `all`'s unique keys that are at `places`, in that order. It is for
  /// a pull: it has no counts and no inverse.
  ///
  /// Needs places that ascend. Cost: one pass over places; no allocation once warm.
  static void Select(const KeyBatch& all, std::span<const std::uint32_t> places, KeyBatch& some);
};

}  // namespace longtail
