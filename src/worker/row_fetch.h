// A pull that the row cache answers in part: what it lacks is pulled into memory of the fetch, and
// from there copied to its places and into the cache, once all of it is there. So what a pull that
// failed or was given up had got by then goes nowhere.
//
// Threads: not thread-safe; the owner locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "longtail/key_batch.h"
#include "longtail/worker.h"
#include "worker/row_cache.h"

namespace longtail {

class RowFetch {
 public:
  /// Begins a pull of `wanted`, whose sizes are right, in a step: the rows that the cache has are
  /// copied to their places before it returns.
  ///
  /// Cost: see RowCache::Find; no allocation once warm.
  void Begin(std::span<const PullItem> wanted, std::uint64_t step, RowCache& cache);

  /// The rows that the cache did not have, to be pulled into the fetch's own memory.
  std::span<const PullItem> items() const { return items_; }

  /// Steps that all rows had applied which the cache had; none: it had no row.
  std::optional<std::uint64_t> served_applied() const { return served_applied_; }

  /// All of items() has come: copies it to its places. These must still be there.
  void Deliver() const;

  /// Copies it into the cache. Who answered had applied so many steps.
  void Keep(std::uint64_t applied, RowCache& cache) const;

 private:
  // What is lacking of one item.
  struct Part {
    std::uint32_t dim = 0;
    std::vector<std::uint32_t> places;  // In the item's keys.
    KeyBatch keys;
    std::vector<float> rows;            // At least [places, dim].
    std::vector<std::uint32_t> counts;  // At least [places], if they were asked for.
    std::span<float> to_rows;           // The item's.
    std::span<std::uint32_t> to_counts;
  };

  std::size_t count_ = 0;    // Parts in use; others wait for a larger call.
  std::vector<Part> parts_;  // Never fewer than before.
  std::vector<PullItem> items_;
  RowCache::Stamp stamp_{};
  std::optional<std::uint64_t> served_applied_;
};

}  // namespace longtail
