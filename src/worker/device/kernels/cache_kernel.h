// The cache on a grid: a warp takes a key, or a set, each lane a way.
#pragma once

#include "worker/device/kernels/cache.h"
#include "worker/device/kernels/simt.h"

namespace longtail::device {

inline constexpr unsigned kCacheThreads = 256;
inline constexpr unsigned kCacheWarps = kCacheThreads / kWarpSize;

__device__ inline unsigned LowestLane(unsigned lanes) {
  return static_cast<unsigned>(__ffs(static_cast<int>(lanes)) - 1);
}

// A template only so that a header may hold it.
template <unsigned kThreads>
__global__ void __launch_bounds__(kThreads) ProbeCache(CacheProbeCall call) {
  const Cache& cache = call.cache;
  const unsigned lane = threadIdx.x % kWarpSize;
  const std::uint32_t count = *call.count;
  for (unsigned i = blockIdx.x * kCacheWarps + threadIdx.x / kWarpSize; i < call.count_max;
       i += gridDim.x * kCacheWarps) {
    if (i >= count) {
      if (lane == 0) call.missed[i] = 0;
      continue;
    }
    const std::uint64_t key = call.keys[i];
    const std::uint32_t place = CacheSetOf(cache, call.table, key) * kCacheWays + lane;
    // Another warp may stamp this way now, for the key that it has: it is in use either way.
    const bool is_there = LoadRelaxed(cache.stamps + place) != 0 && cache.keys[place] == key &&
                          cache.tables[place] == call.table;
    const bool is_fresh = is_there && IsFresh(cache.applied[place], call.step, call.age_max);
    const unsigned there = __ballot_sync(kAllLanes, is_there);
    const unsigned fresh = __ballot_sync(kAllLanes, is_fresh);
    if (is_fresh) {
      StoreRelaxed(cache.stamps + place, call.step);
      call.places[i] = place;
      call.missed[i] = 0;
      atomicAdd(&cache.counters->hits, 1ULL);
    }
    if (fresh == 0 && lane == 0) {
      call.places[i] = kNoPlace;
      call.missed[i] = 1;
      atomicAdd(there != 0 ? &cache.counters->expired : &cache.counters->misses, 1ULL);
    }
  }
}

// The lane whose way was not used for longest, of those alike the lowest: by stamp and lane in one
// number, halved among the lanes.
__device__ inline unsigned OldestLane(std::uint32_t stamp, unsigned lane) {
  unsigned long long oldest = static_cast<unsigned long long>(stamp) << 32 | lane;
  for (unsigned step = kWarpSize / 2; step > 0; step /= 2) {
    const unsigned long long other =
        __shfl_xor_sync(kAllLanes, oldest, static_cast<int>(step), kWarpSize);
    oldest = other < oldest ? other : oldest;
  }
  return static_cast<unsigned>(oldest & 0xFFFFFFFF);
}

// Each lane keeps what its way has in registers: no other warp has this set.
template <unsigned kThreads>
__global__ void __launch_bounds__(kThreads) InsertIntoCache(CacheInsertCall call) {
  const Cache& cache = call.cache;
  const unsigned lane = threadIdx.x % kWarpSize;
  const std::uint32_t run_count = *call.run_count;
  for (unsigned run = blockIdx.x * kCacheWarps + threadIdx.x / kWarpSize; run < run_count;
       run += gridDim.x * kCacheWarps) {
    const auto set = static_cast<std::uint32_t>(call.run_sets[run]);
    if (set == cache.set_count) continue;  // Behind the last that was missed.
    const std::uint32_t mine = set * kCacheWays + lane;
    std::uint64_t key = cache.keys[mine];
    std::uint32_t table = cache.tables[mine];
    std::uint32_t stamp = cache.stamps[mine];
    const std::uint32_t begin = call.run_begins[run];
    const std::uint32_t end = begin + call.run_lengths[run];
    for (std::uint32_t n = begin; n < end; ++n) {
      const std::uint32_t source = call.order[n];
      const std::uint64_t wanted = call.keys[source];
      const unsigned there =
          __ballot_sync(kAllLanes, stamp != 0 && key == wanted && table == call.table);
      const unsigned oldest = OldestLane(stamp, lane);
      const unsigned chosen = there != 0 ? LowestLane(there) : oldest;
      const std::uint32_t chosen_stamp = __shfl_sync(kAllLanes, stamp, static_cast<int>(chosen));
      if (there == 0 && chosen_stamp >= call.oldest_step) {
        if (lane == 0) atomicAdd(&cache.counters->bypassed, 1ULL);
        continue;
      }
      if (lane == chosen) {
        if (there == 0 && stamp != 0) atomicAdd(&cache.counters->evicted, 1ULL);
        key = wanted;
        table = call.table;
        stamp = call.step;
        cache.keys[mine] = key;
        cache.tables[mine] = table;
        cache.stamps[mine] = stamp;
        cache.applied[mine] = call.applied;
        call.places[source] = mine;
      }
      const float* const from = call.rows + std::size_t{source} * call.rows_stride;
      float* const to = cache.rows + std::size_t{set * kCacheWays + chosen} * cache.row_stride;
      for (std::uint32_t d = lane; d < call.dim; d += kWarpSize) to[d] = from[d];
    }
  }
}

template <typename Grid>
void Run(const CacheProbeCall& call, Grid& grid) {
  if (call.count_max == 0) return;
  const LaunchShape shape{.blocks = BlocksFor(call.count_max, kCacheWarps),
                          .threads = kCacheThreads};
  grid.Launch(&ProbeCache<kCacheThreads>, shape, call);
}

template <typename Grid>
void Run(const CacheInsertCall& call, Grid& grid) {
  if (call.count_max == 0) return;
  const LaunchShape shape{.blocks = BlocksFor(call.count_max, kCacheWarps),
                          .threads = kCacheThreads};
  grid.Launch(&InsertIntoCache<kCacheThreads>, shape, call);
}

}  // namespace longtail::device
