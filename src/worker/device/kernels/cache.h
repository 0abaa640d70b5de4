// A cache of rows in a device's memory: one for all tables, sets of 32 ways.
//
//   set s: | keys 32 x 8 | tables 32 x 4 | stamps 32 x 4 | applied 32 x 4 |     rows 32 x
//   row_stride
//
// A way is empty while its stamp is 0: steps are counted from 1, and every key is legal. The stamp
// is the last step that used the row: its age for eviction, and a pin, since who is used by a step
// that is not done may not leave. `applied` is the step whose pushes the row has at least: a row is
// served while step - applied <= age_max, so with age_max 0 only what was fetched for the same step
// is.
//
// A probe and an insertion are ordered by their stream, so there is no lock. An insertion has its
// rows sorted by set and one warp for each set: nothing depends on which warp is faster.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/hash.h"
#include "base/host_device.h"
#include "base/random.h"
#include "worker/device/kernels/loops.h"

namespace longtail::device {

inline constexpr std::uint32_t kCacheWays = 32;

/// The place of a row that the cache does not have.
inline constexpr std::uint32_t kNoPlace = 0xFFFFFFFF;

/// What happened, since the counters were last set to zero.
struct CacheCounters {
  unsigned long long hits = 0;
  unsigned long long misses = 0;    ///< Not there.
  unsigned long long expired = 0;   ///< There, but too old.
  unsigned long long evicted = 0;   ///< Rows that left for others.
  unsigned long long bypassed = 0;  ///< Rows that found no way free to leave.
};

struct Cache {
  std::uint64_t* keys = nullptr;  ///< [sets * kCacheWays], as those below.
  std::uint32_t* tables = nullptr;
  std::uint32_t* stamps = nullptr;  ///< Zero at first.
  std::uint32_t* applied = nullptr;
  float* rows = nullptr;              ///< [sets * kCacheWays, row_stride]
  CacheCounters* counters = nullptr;  ///< [1]
  std::uint32_t set_count = 0;        ///< A power of two.
  std::uint32_t row_stride = 0;       ///< Floats; at least the widest row's.
};

LONGTAIL_HOST_DEVICE inline std::uint32_t CacheSetOf(const Cache& cache, std::uint32_t table,
                                                     std::uint64_t key) {
  return static_cast<std::uint32_t>(Mix64(key + kGoldenGamma * (table + std::uint64_t{1}))) &
         (cache.set_count - 1);
}

/// Whether a row with so many steps applied may be served.
LONGTAIL_HOST_DEVICE constexpr bool IsFresh(std::uint32_t applied, std::uint32_t step,
                                            std::uint32_t age_max) {
  return step - applied <= age_max;
}

/// Looks up different keys of one table; what is found is used by this step from now on.
struct CacheProbeCall {
  Cache cache{};
  const std::uint64_t* keys = nullptr;  ///< [*count] of [count_max]
  const std::uint32_t* count = nullptr;
  std::uint32_t* places = nullptr;  ///< [count_max] of the row, or kNoPlace: fetch it.
  std::uint32_t* missed = nullptr;  ///< [count_max] flags for Select; 0 behind *count.
  std::uint32_t count_max = 0;
  std::uint32_t table = 0;
  std::uint32_t step = 0;  ///< At least 1.
  std::uint32_t age_max = 0;
};

/// The set of each missed key, and its place among keys: what is sorted before an insertion.
struct CacheSetsCall {
  Cache cache{};
  const std::uint64_t* keys = nullptr;          ///< [count_max]
  const std::uint32_t* missed = nullptr;        ///< [*missed_count] places in keys
  const std::uint32_t* missed_count = nullptr;  ///< [1]
  std::uint64_t* sets = nullptr;   ///< [count_max]; behind *missed_count set_count, the
                                   ///< highest, so that the rest is sorted behind.
  std::uint32_t* order = nullptr;  ///< [count_max] what missed has
  std::uint32_t count_max = 0;
  std::uint32_t table = 0;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    if (i < *missed_count) {
      sets[i] = CacheSetOf(cache, table, keys[missed[i]]);
      order[i] = missed[i];
    } else {
      sets[i] = cache.set_count;
      order[i] = kNoPlace;
    }
  }
};

/// Puts fetched rows in the place of those not used for longest, none of them used by a step from
/// `oldest_step` on. A key that is there (expired) gets its row anew.
struct CacheInsertCall {
  Cache cache{};
  const std::uint64_t* run_sets = nullptr;     ///< [*run_count] sets with missed keys
  const std::uint32_t* run_begins = nullptr;   ///< [*run_count] in order
  const std::uint32_t* run_lengths = nullptr;  ///< [*run_count]
  const std::uint32_t* run_count = nullptr;    ///< [1]
  const std::uint32_t* order = nullptr;        ///< [count_max] places in keys, sorted by set
  const std::uint64_t* keys = nullptr;         ///< [count_max]
  const float* rows = nullptr;                 ///< [count_max, rows_stride], by place in keys
  std::uint32_t* places = nullptr;             ///< [count_max] set for what was inserted
  std::uint32_t count_max = 0;
  std::uint32_t rows_stride = 0;
  std::uint32_t dim = 0;
  std::uint32_t table = 0;
  std::uint32_t step = 0;
  std::uint32_t applied = 0;
  std::uint32_t oldest_step = 0;
};

/// rows[i] = the cached row of places[i], if there is one.
struct CacheReadCall {
  Cache cache{};
  const std::uint32_t* places = nullptr;  ///< [*count] of [count_max]
  const std::uint32_t* count = nullptr;   ///< [1]
  float* rows = nullptr;                  ///< [count_max, rows_stride]
  std::uint32_t count_max = 0;
  std::uint32_t rows_stride = 0;
  std::uint32_t dim = 0;
};

/// The cached row of places[i] = rows[i], with so many steps applied: what was pushed is seen by
/// the next step of this worker, while the servers have it, too.
struct CacheWriteCall {
  Cache cache{};
  const std::uint32_t* places = nullptr;  ///< [*count] of [count_max]
  const std::uint32_t* count = nullptr;   ///< [1]
  const float* rows = nullptr;            ///< [count_max, rows_stride]
  std::uint32_t count_max = 0;
  std::uint32_t rows_stride = 0;
  std::uint32_t dim = 0;
  std::uint32_t applied = 0;
};

template <typename Lane>
struct CacheReadItem {
  CacheReadCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.dim / kWidth<Lane>;
    const std::uint32_t row = i / lanes;
    if (row >= *call.count || call.places[row] == kNoPlace) return;
    const std::uint32_t column = (i - row * lanes) * kWidth<Lane>;
    LaneAt<Lane>(call.rows + std::size_t{row} * call.rows_stride + column) = LaneAt<Lane>(
        call.cache.rows + std::size_t{call.places[row]} * call.cache.row_stride + column);
  }
};

template <typename Lane>
struct CacheWriteItem {
  CacheWriteCall call;

  LONGTAIL_HOST_DEVICE void operator()(std::uint32_t i) const {
    const std::uint32_t lanes = call.dim / kWidth<Lane>;
    const std::uint32_t row = i / lanes;
    if (row >= *call.count || call.places[row] == kNoPlace) return;
    const std::uint32_t column = (i - row * lanes) * kWidth<Lane>;
    LaneAt<Lane>(call.cache.rows + std::size_t{call.places[row]} * call.cache.row_stride + column) =
        LaneAt<Lane>(call.rows + std::size_t{row} * call.rows_stride + column);
    if (column == 0) call.cache.applied[call.places[row]] = call.applied;
  }
};

/// Whether rows here and in the cache can be moved by 16 bytes.
inline bool MovesByQuads(const Cache& cache, const float* rows, std::uint32_t stride,
                         std::uint32_t dim) {
  return dim % 4 == 0 && stride % 4 == 0 && cache.row_stride % 4 == 0 && IsQuadAligned(rows) &&
         IsQuadAligned(cache.rows);
}

void Run(const CacheProbeCall& call, Loops& loops);
void Run(const CacheInsertCall& call, Loops& loops);

template <typename Grid>
void Run(const CacheSetsCall& call, Grid& grid) {
  grid.ForEach(call.count_max, call);
}
template <typename Grid>
void Run(const CacheReadCall& call, Grid& grid) {
  if (MovesByQuads(call.cache, call.rows, call.rows_stride, call.dim)) {
    grid.ForEach(call.count_max * (call.dim / 4), CacheReadItem<Quad>{call});
  } else {
    grid.ForEach(call.count_max * call.dim, CacheReadItem<float>{call});
  }
}
template <typename Grid>
void Run(const CacheWriteCall& call, Grid& grid) {
  if (MovesByQuads(call.cache, call.rows, call.rows_stride, call.dim)) {
    grid.ForEach(call.count_max * (call.dim / 4), CacheWriteItem<Quad>{call});
  } else {
    grid.ForEach(call.count_max * call.dim, CacheWriteItem<float>{call});
  }
}

}  // namespace longtail::device
