#include "worker/device/kernels/cache.h"

#include <algorithm>

namespace longtail::device {
namespace {

// The way of a key in its set, or kNoPlace.
std::uint32_t FindPlace(const Cache& cache, std::uint32_t set, std::uint32_t table,
                        std::uint64_t key) {
  for (std::uint32_t way = 0; way < kCacheWays; ++way) {
    const std::uint32_t place = set * kCacheWays + way;
    if (cache.stamps[place] != 0 && cache.keys[place] == key && cache.tables[place] == table) {
      return place;
    }
  }
  return kNoPlace;
}

// The way not used for longest, of those alike the first; kNoPlace if a step in flight uses it.
std::uint32_t FindVictim(const Cache& cache, std::uint32_t set, std::uint32_t oldest_step) {
  const std::uint32_t* stamps = cache.stamps + std::size_t{set} * kCacheWays;
  const auto way =
      static_cast<std::uint32_t>(std::min_element(stamps, stamps + kCacheWays) - stamps);
  return stamps[way] < oldest_step ? set * kCacheWays + way : kNoPlace;
}

}  // namespace

void Run(const CacheProbeCall& call, Loops&) {
  CacheCounters& counters = *call.cache.counters;
  for (std::uint32_t i = 0; i < call.count_max; ++i) {
    call.missed[i] = 0;
    if (i >= *call.count) continue;
    const std::uint32_t set = CacheSetOf(call.cache, call.table, call.keys[i]);
    const std::uint32_t place = FindPlace(call.cache, set, call.table, call.keys[i]);
    const bool is_hit =
        place != kNoPlace && IsFresh(call.cache.applied[place], call.step, call.age_max);
    if (is_hit) call.cache.stamps[place] = call.step;
    call.places[i] = is_hit ? place : kNoPlace;
    call.missed[i] = is_hit ? 0 : 1;
    ++(is_hit ? counters.hits : place != kNoPlace ? counters.expired : counters.misses);
  }
}

void Run(const CacheInsertCall& call, Loops&) {
  const Cache& cache = call.cache;
  for (std::uint32_t run = 0; run < *call.run_count; ++run) {
    const auto set = static_cast<std::uint32_t>(call.run_sets[run]);
    if (set == cache.set_count) continue;  // Behind the last that was missed.
    for (std::uint32_t n = 0; n < call.run_lengths[run]; ++n) {
      const std::uint32_t source = call.order[call.run_begins[run] + n];
      std::uint32_t place = FindPlace(cache, set, call.table, call.keys[source]);
      if (place == kNoPlace) {
        place = FindVictim(cache, set, call.oldest_step);
        if (place == kNoPlace) {
          ++cache.counters->bypassed;
          continue;
        }
        if (cache.stamps[place] != 0) ++cache.counters->evicted;
      }
      cache.keys[place] = call.keys[source];
      cache.tables[place] = call.table;
      cache.stamps[place] = call.step;
      cache.applied[place] = call.applied;
      std::copy_n(call.rows + std::size_t{source} * call.rows_stride, call.dim,
                  cache.rows + std::size_t{place} * cache.row_stride);
      call.places[source] = place;
    }
  }
}

}  // namespace longtail::device
