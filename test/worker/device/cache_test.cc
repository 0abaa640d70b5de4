#include "worker/device/kernels/cache.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "worker/device/cpu_device.h"
#include "worker/device/every_grid.h"
#include "worker/device/hot_rows.h"

namespace longtail::device {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(60);

/// A cache in guarded memory, and the steps of one use, on any grid.
struct TestCache {
  explicit TestCache(std::uint32_t sets, std::uint32_t dim)
      : keys(std::size_t{sets} * kCacheWays),
        tables(keys.size()),
        stamps(std::vector<std::uint32_t>(keys.size(), 0)),
        applied(keys.size()),
        rows(keys.size() * dim),
        counters(std::vector<CacheCounters>(1)),
        view{.keys = keys.data(),
             .tables = tables.data(),
             .stamps = stamps.data(),
             .applied = applied.data(),
             .rows = rows.data(),
             .counters = counters.data(),
             .set_count = sets,
             .row_stride = dim} {}

  GuardedArray<std::uint64_t> keys;
  GuardedArray<std::uint32_t> tables, stamps, applied;
  GuardedArray<float> rows;
  GuardedArray<CacheCounters> counters;
  Cache view;
};

struct Use {
  std::uint32_t step;
  std::uint32_t oldest;
  std::uint32_t age_max;
  std::uint32_t table;
};

// The row that step `step` fetches for a key.
float FetchedValue(std::uint64_t key, std::uint32_t step, std::uint32_t column) {
  return static_cast<float>(Mix64(key) % 1000) + static_cast<float>(step) * 0.25F +
         static_cast<float>(column) * 0.001F;
}

// Probe, then insert what was missed, then read all that has a place.
template <typename Grid>
std::vector<std::uint32_t> UseCache(Grid& grid, TestCache& cache, std::uint32_t dim,
                                    const std::vector<Key>& wanted, const Use& use) {
  const auto count = static_cast<std::uint32_t>(wanted.size());
  const std::uint32_t room = count + 2;
  GuardedArray<Key> keys(room);
  std::copy(wanted.begin(), wanted.end(), keys.data());
  const GuardedArray<std::uint32_t> places(room), flags(room);
  Run(CacheProbeCall{.cache = cache.view,
                     .keys = keys.data(),
                     .count = &count,
                     .places = places.data(),
                     .missed = flags.data(),
                     .count_max = room,
                     .table = use.table,
                     .step = use.step,
                     .age_max = use.age_max},
      grid);
  GuardedArray<float> rows(std::size_t{room} * dim);
  std::vector<std::uint32_t> missed;
  for (std::uint32_t i = 0; i < room; ++i) {
    if (flags[i] == 0) continue;
    missed.push_back(i);
    for (std::uint32_t d = 0; d < dim; ++d) rows[i * dim + d] = FetchedValue(keys[i], use.step, d);
  }
  const GuardedArray<std::uint32_t> missed_places(missed);
  const auto missed_count = static_cast<std::uint32_t>(missed.size());
  const GuardedArray<std::uint64_t> sets(room);
  const GuardedArray<std::uint32_t> order(room);
  Run(CacheSetsCall{.cache = cache.view,
                    .keys = keys.data(),
                    .missed = missed_places.data(),
                    .missed_count = &missed_count,
                    .sets = sets.data(),
                    .order = order.data(),
                    .count_max = room,
                    .table = use.table},
      grid);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted;
  for (std::uint32_t i = 0; i < room; ++i) sorted.emplace_back(sets[i], order[i]);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::uint64_t> run_sets;
  std::vector<std::uint32_t> run_begins, run_lengths;
  for (std::uint32_t i = 0; i < room; ++i) {
    order[i] = sorted[i].second;
    if (i == 0 || sorted[i].first != sorted[i - 1].first) {
      run_sets.push_back(sorted[i].first);
      run_begins.push_back(i);
      run_lengths.push_back(0);
    }
    ++run_lengths.back();
  }
  const auto run_count = static_cast<std::uint32_t>(run_sets.size());
  const GuardedArray<std::uint64_t> runs(run_sets);
  const GuardedArray<std::uint32_t> begins(run_begins), lengths(run_lengths);
  Run(CacheInsertCall{.cache = cache.view,
                      .run_sets = runs.data(),
                      .run_begins = begins.data(),
                      .run_lengths = lengths.data(),
                      .run_count = &run_count,
                      .order = order.data(),
                      .keys = keys.data(),
                      .rows = rows.data(),
                      .places = places.data(),
                      .count_max = room,
                      .rows_stride = dim,
                      .dim = dim,
                      .table = use.table,
                      .step = use.step,
                      .applied = use.step,
                      .oldest_step = use.oldest},
      grid);
  Run(CacheReadCall{.cache = cache.view,
                    .places = places.data(),
                    .count = &count,
                    .rows = rows.data(),
                    .count_max = room,
                    .rows_stride = dim,
                    .dim = dim},
      grid);
  std::vector<std::uint32_t> words = Words(rows, flags);
  words.insert(words.end(), places.data(), places.data() + count);
  return words;
}

TEST_CASE("a cache does the same under any schedule, and the same as plain loops",
          "[device][cache]") {
  const auto dim = GENERATE(as<std::uint32_t>(), 1, 4, 16, 33);
  const auto sets = GENERATE(as<std::uint32_t>(), 1, 4);
  if (kIsSlow && (dim > 4 || sets > 1)) return;
  CAPTURE(dim, sets);

  OnEveryGrid([&](auto& grid) {
    TestCache cache(sets, dim);
    std::vector<std::uint32_t> all;
    Rng rng(dim * sets);
    const std::uint32_t steps = kIsSlow ? 3 : 6;
    for (std::uint32_t step = 1; step <= steps; ++step) {
      std::vector<Key> keys = test::Keys(rng, 60, 90);
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      const auto words = UseCache(
          grid, cache, dim, keys,
          {.step = step, .oldest = step > 2 ? step - 1 : 1, .age_max = 2, .table = step % 2});
      all.insert(all.end(), words.begin(), words.end());
    }
    const auto state = Words(cache.stamps, cache.counters);
    all.insert(all.end(), state.begin(), state.end());
    return all;
  });
}

/// One way of a model of the cache.
struct Entry {
  std::uint32_t stamp;
  std::uint32_t applied;
};

TEST_CASE("a cache serves no row older than its bound, and none that is not there",
          "[device][cache]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  CAPTURE(seed);
  Rng rng(seed);
  const auto age_max = static_cast<std::uint32_t>(rng.Below(4));
  constexpr std::uint32_t kDim = 3;
  TestCache cache(/*sets=*/2, kDim);
  Loops loops;
  std::map<std::pair<std::uint32_t, Key>, std::uint32_t> fetched_at;

  for (std::uint32_t step = 1; step <= 40; ++step) {
    std::vector<Key> keys = test::Keys(rng, 30, 150);
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    const auto table = static_cast<std::uint32_t>(rng.Below(2));
    const auto words = UseCache(loops, cache, kDim, keys,
                                {.step = step, .oldest = step, .age_max = age_max, .table = table});

    const std::size_t room = keys.size() + 2;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool is_missed = words[room * kDim + i] != 0;
      if (is_missed) fetched_at[{table, keys[i]}] = step;
      const std::uint32_t of = fetched_at.at({table, keys[i]});  // Served only if fetched before.
      REQUIRE(step - of <= age_max);
      float value = 0;
      std::memcpy(&value, &words[i * kDim + 2], sizeof(value));
      REQUIRE(value == FetchedValue(keys[i], of, 2));
    }
  }
  CHECK(cache.counters[0].misses > 0);
  CHECK(cache.counters[0].evicted > 0);
  if (age_max > 0) CHECK(cache.counters[0].hits > 0);
  if (age_max > 0) CHECK(cache.counters[0].expired > 0);
}

TEST_CASE("rows of steps in flight stay, and what finds no room is bypassed", "[device][cache]") {
  TestCache cache(/*sets=*/1, /*dim=*/1);
  Loops loops;
  std::vector<Key> first(kCacheWays);
  for (std::uint32_t i = 0; i < kCacheWays; ++i) first[i] = i;

  UseCache(loops, cache, 1, first, {.step = 1, .oldest = 1, .age_max = 9, .table = 0});
  UseCache(loops, cache, 1, {100, 101}, {.step = 2, .oldest = 1, .age_max = 9, .table = 0});
  CHECK(cache.counters[0].bypassed == 2);
  CHECK(cache.counters[0].evicted == 0);

  UseCache(loops, cache, 1, {0, 100}, {.step = 3, .oldest = 2, .age_max = 9, .table = 0});
  CHECK(cache.counters[0].evicted == 1);
  CHECK(cache.keys[0] == 0);    // Used by step 3, so not the oldest any more.
  CHECK(cache.keys[1] == 100);  // The first of the others.
}

TEST_CASE("equal keys of two tables are two rows", "[device][cache]") {
  TestCache cache(/*sets=*/1, /*dim=*/1);
  Loops loops;

  UseCache(loops, cache, 1, {7}, {.step = 1, .oldest = 1, .age_max = 9, .table = 0});
  UseCache(loops, cache, 1, {7}, {.step = 2, .oldest = 1, .age_max = 9, .table = 1});

  CHECK(cache.counters[0].misses == 2);
  CHECK(cache.counters[0].hits == 0);
}

TEST_CASE("hot rows are found, fetched, read and written through on a device",
          "[device][hot_rows]") {
  const CpuStreams mode = GENERATE(CpuStreams::kThreads, CpuStreams::kInline);
  CAPTURE(mode);
  CpuDevice device({.streams = mode});
  const auto stream = device.MakeStream({.name = "sparse", .count_max = 64}).value();
  HotRows hot = HotRows::Make(device, *stream,
                              {.row_count = 1000, .row_dim = 4, .count_max = 64, .age_max = 5})
                    .value();
  const std::vector<Key> keys = {3, 0, ~Key{0}, 12, 5};
  const std::uint32_t count = 5;
  const HotRows::Keys of{
      .table = 2, .dim = 4, .keys = keys.data(), .count = &count, .count_max = 5};
  std::vector<float> fetched(20);
  for (std::size_t i = 0; i < fetched.size(); ++i) fetched[i] = static_cast<float>(i) + 0.5F;
  std::vector<float> rows(20);

  hot.Probe(*stream, of, 1);
  hot.Insert(*stream, of, {.data = fetched.data(), .stride = 4}, {.now = 1, .oldest = 1}, 1);
  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(*hot.missed_count() == 5);

  hot.Probe(*stream, of, 2);
  hot.Read(*stream, of, {.data = rows.data(), .stride = 4});
  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(*hot.missed_count() == 0);
  CHECK(rows == fetched);

  for (float& value : fetched) value += 100;
  hot.Write(*stream, of, {.data = fetched.data(), .stride = 4}, 4);
  hot.Probe(*stream, of, 9);  // Five steps behind what was written, eight behind what was fetched.
  hot.Read(*stream, of, {.data = rows.data(), .stride = 4});
  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(*hot.missed_count() == 0);
  CHECK(rows == fetched);
  CHECK(hot.counters()->hits == 10);

  hot.Probe(*stream, of, 10);
  REQUIRE(stream->Finish(kLimit).ok());
  CHECK(*hot.missed_count() == 5);
  CHECK(hot.counters()->expired == 5);
}

TEST_CASE("writing through is the same on a grid", "[device][cache]") {
  const auto dim = GENERATE(as<std::uint32_t>(), 3, 8);
  OnEveryGrid([&](auto& grid) {
    TestCache cache(1, dim);
    UseCache(grid, cache, dim, {1, 2, 3}, {.step = 1, .oldest = 1, .age_max = 1, .table = 0});
    const std::uint32_t count = 3;
    const GuardedArray<std::uint32_t> places(std::vector<std::uint32_t>{2, kNoPlace, 0, 77});
    Rng rng(1);
    const GuardedArray<float> rows(TestFloats(rng, 4 * dim));
    Run(CacheWriteCall{.cache = cache.view,
                       .places = places.data(),
                       .count = &count,
                       .rows = rows.data(),
                       .count_max = 4,
                       .rows_stride = dim,
                       .dim = dim,
                       .applied = 8},
        grid);
    CHECK(cache.applied[2] == 8);
    CHECK(cache.applied[1] == 1);
    CHECK(cache.rows[2 * dim] == rows[0]);
    CHECK(cache.rows[dim] == FetchedValue(2, 1, 0));
    return cache.applied[0];
  });
}

TEST_CASE("a cache of no size is refused", "[device][hot_rows]") {
  CpuDevice device({.streams = CpuStreams::kInline});
  const auto stream = device.MakeStream({.name = "sparse"}).value();

  const auto hot = HotRows::Make(device, *stream, {.row_count = 10, .row_dim = 0, .count_max = 5});

  CHECK(hot.status().message() == "hot rows: row_dim 0: want 1..4096");
}

}  // namespace
}  // namespace longtail::device
