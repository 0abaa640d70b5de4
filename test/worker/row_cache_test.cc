// Rows that a worker keeps, beside a map that keeps all of them.
#include "worker/row_cache.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "support/gen.h"

namespace longtail {
namespace {

constexpr std::uint64_t kNobody = std::numeric_limits<std::uint64_t>::max();

std::uint32_t DimOf(std::uint32_t table) {
  return 3 * table + 1;
}

// What a row was when it was fetched.
struct Kept {
  std::uint64_t pull = 0;  // By their order.
  std::uint64_t step = 0;
  std::uint64_t applied = 0;
  std::vector<float> row;
  std::uint32_t count = 0;
  bool has_count = false;
};

struct Pulled {
  std::uint64_t number = 0;
  std::uint64_t step = 0;
  std::uint32_t table = 0;
  RowCache::Stamp stamp{};
  std::vector<Key> keys;  // Those that were missed.
  bool has_counts = false;
};

// Pulls of a few tables whose answers come late and in any order, or never.
class Traffic {
 public:
  Traffic(std::uint64_t seed, const RowCache::Options& options, std::uint64_t distinct)
      : rng_(seed), options_(options), cache_(options), distinct_(distinct) {}

  void Pull() {
    if (rng_.Below(3) == 0) step_ += 1 + rng_.Below(2);
    Pulled pull{.number = ++pulls_,
                .step = step_,
                .table = static_cast<std::uint32_t>(rng_.Below(3)),
                .stamp = cache_.BeginPull(step_),
                .keys = {},
                .has_counts = rng_.Below(2) == 0};
    const std::vector<Key> drawn = test::Keys(rng_, 1 + rng_.Below(60), distinct_);
    const std::set<Key> unique(drawn.begin(), drawn.end());
    const std::vector<Key> keys(unique.begin(), unique.end());
    const std::uint32_t dim = DimOf(pull.table);
    std::vector<float> rows(keys.size() * dim, -1);
    std::vector<std::uint32_t> counts(pull.has_counts ? keys.size() : 0, 1'000'000);
    std::vector<std::uint32_t> missed;

    const std::uint64_t applied = cache_.Find(
        {.table = TableId{pull.table}, .dim = dim, .keys = keys}, pull.stamp, rows, counts, missed);

    REQUIRE(std::is_sorted(missed.begin(), missed.end()));
    std::uint64_t want_applied = kNobody;
    for (std::uint32_t i = 0; i < keys.size(); ++i) {
      const std::vector<Kept>& all = kept_[{pull.table, keys[i]}];
      const auto may_serve = [&](const Kept& kept) {
        return step_ - kept.step <= options_.steps && (!pull.has_counts || kept.has_count);
      };
      if (std::binary_search(missed.begin(), missed.end(), i)) {
        lost_ += !all.empty() && may_serve(all.back()) ? 1 : 0;
        pull.keys.push_back(keys[i]);
        continue;
      }
      const float* const row = rows.data() + std::size_t{i} * dim;
      const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Kept& kept) {
        return std::equal(kept.row.begin(), kept.row.end(), row);
      });
      REQUIRE(found != all.rend());
      REQUIRE(may_serve(*found));
      // One that came for an earlier pull was taken only where the newest was there no more.
      was_older_ |= found != all.rbegin();
      if (pull.has_counts) REQUIRE(counts[i] == found->count);
      want_applied = std::min(want_applied, found->applied);
      ++hits_;
    }
    REQUIRE(applied == want_applied);
    REQUIRE(cache_.served() == hits_);
    flying_.push_back(std::move(pull));
  }

  void Answer() {
    if (flying_.empty()) return;
    std::swap(flying_[rng_.Below(flying_.size())], flying_.back());
    const Pulled pull = std::move(flying_.back());
    flying_.pop_back();
    if (rng_.Below(10) == 0) return;  // It failed, or was given up.
    const std::uint32_t dim = DimOf(pull.table);
    const std::vector<float> rows = test::Floats(rng_, pull.keys.size() * dim, -9, 9);
    std::vector<std::uint32_t> counts;
    if (pull.has_counts) counts = test::Counts(rng_, pull.keys.size(), 5000);
    const std::uint64_t lag = rng_.Below(4);
    const std::uint64_t applied = pull.step - std::min(pull.step, lag);

    cache_.Put({.table = TableId{pull.table}, .dim = dim, .keys = pull.keys}, pull.stamp, applied,
               rows, counts);

    REQUIRE(cache_.bytes() <= options_.bytes);
    if (step_ - pull.step > options_.steps) return;
    for (std::size_t i = 0; i < pull.keys.size(); ++i) {
      std::vector<Kept>& all = kept_[{pull.table, pull.keys[i]}];
      const auto row = rows.begin() + static_cast<std::ptrdiff_t>(i * dim);
      const auto later = std::find_if(all.begin(), all.end(),
                                      [&](const Kept& kept) { return kept.pull > pull.number; });
      all.insert(later, {.pull = pull.number,
                         .step = pull.step,
                         .applied = applied,
                         .row = std::vector<float>(row, row + static_cast<std::ptrdiff_t>(dim)),
                         .count = pull.has_counts ? counts[i] : 0,
                         .has_count = pull.has_counts});
    }
  }

  void Run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      rng_.Below(2) == 0 ? Pull() : Answer();
    }
  }

  const RowCache& cache() const { return cache_; }
  std::uint64_t hits() const { return hits_; }
  std::uint64_t lost() const { return lost_; }   // Could have been hits.
  bool was_older() const { return was_older_; }  // A hit was not the newest row that was put.

 private:
  Rng rng_;
  const RowCache::Options options_;
  RowCache cache_;
  const std::uint64_t distinct_;
  std::uint64_t step_ = 0;
  std::uint64_t pulls_ = 0;
  std::uint64_t hits_ = 0;
  std::uint64_t lost_ = 0;
  std::vector<Pulled> flying_;
  bool was_older_ = false;
  // All rows that were put, in the order of their pulls.
  std::map<std::pair<std::uint32_t, Key>, std::vector<Kept>> kept_;
};

TEST_CASE("a cache with room for all serves just what a map would", "[worker][row_cache]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 31));
  const std::uint64_t steps = GENERATE(0U, 1U, 5U);
  CAPTURE(seed, steps);
  Traffic traffic(seed, {.bytes = std::size_t{1} << 20, .steps = steps}, 200);

  traffic.Run(600);

  CHECK(traffic.hits() > 20);
  CHECK(traffic.lost() == 0);
  CHECK_FALSE(traffic.was_older());
  CHECK(traffic.cache().evicted() == 0);
}

TEST_CASE("a cache that is full serves rows as they were, and stays within its memory",
          "[worker][row_cache]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(1, 31));
  CAPTURE(seed);
  Traffic traffic(seed, {.bytes = kRowCacheBytesMin, .steps = 9}, 2000);

  traffic.Run(4000);

  CHECK(traffic.hits() > 300);
  CHECK(traffic.lost() > 100);
  CHECK(traffic.cache().evicted() > 500);
}

// Steps in which the same hot keys are asked for, and cold ones that never come again. How many of
// the hot ones were served from step 20 on.
std::uint64_t HotServed(RowCache& cache, std::uint32_t dim, std::size_t hot_count,
                        std::size_t cold_count, std::uint64_t steps) {
  Key next = 1'000'000;
  std::uint64_t served = 0;
  for (std::uint64_t step = 0; step < steps; ++step) {
    std::vector<Key> keys(hot_count + cold_count);
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i < hot_count ? i : next++;
    std::vector<float> rows(keys.size() * dim, 1);
    std::vector<std::uint32_t> missed;
    const RowCache::Stamp stamp = cache.BeginPull(step);
    cache.Find({.table = TableId{0}, .dim = dim, .keys = keys}, stamp, rows, {}, missed);
    std::uint64_t hot_missed = 0;
    std::vector<Key> asked;
    for (const std::uint32_t place : missed) {
      hot_missed += place < hot_count ? 1U : 0U;
      asked.push_back(keys[place]);
    }
    if (step >= 20) served += hot_count - hot_missed;
    rows.resize(asked.size() * dim);
    cache.Put({.table = TableId{0}, .dim = dim, .keys = asked}, stamp, step, rows, {});
  }
  return served;
}

TEST_CASE("hot rows stay while many more cold ones pass through", "[worker][row_cache]") {
  constexpr std::uint32_t kDim = 16;
  RowCache cache({.bytes = std::size_t{256} << 10, .steps = 4});

  // The cold rows of one step alone would fill it.
  const std::uint64_t served = HotServed(cache, kDim, 200, 2500, 120);

  // A hot row is fetched in one step of five: served in four fifths of 100 steps.
  CHECK(served >= 200 * 100 * 4 / 5 * 95 / 100);
  CHECK(served <= 200 * 100 * 4 / 5);
  CHECK(cache.evicted() > 0);
}

TEST_CASE("rows that were hot make room for those that are", "[worker][row_cache]") {
  constexpr std::uint32_t kDim = 16;
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 1'000'000});
  std::vector<float> rows(400 * kDim, 1);
  std::vector<std::uint32_t> missed;
  const auto pull = [&](std::uint64_t step, Key first) {
    std::vector<Key> keys(400);
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = first + i;
    const RowCache::Stamp stamp = cache.BeginPull(step);
    missed.clear();
    cache.Find({.table = TableId{0}, .dim = kDim, .keys = keys}, stamp, rows, {}, missed);
    cache.Put({.table = TableId{0}, .dim = kDim, .keys = keys}, stamp, step, rows, {});
    return keys.size() - missed.size();
  };
  for (std::uint64_t step = 0; step < 50; ++step) pull(step, 0);
  CHECK(pull(50, 0) == 400);

  for (std::uint64_t step = 51; step < 100; ++step) pull(step, 1'000'000);

  CHECK(pull(100, 1'000'000) == 400);
}

TEST_CASE("of two rows alike the one that may not be served any more leaves",
          "[worker][row_cache]") {
  constexpr std::uint32_t kDim = 16;
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 2});
  const std::vector<float> row(kDim, 1);
  // Different keys, each asked for once.
  auto pull = [&, next = Key{0}](std::uint64_t step, int count) mutable {
    const RowCache::Stamp stamp = cache.BeginPull(step);
    for (int i = 0; i < count; ++i) {
      const std::vector<Key> keys = {next++};
      std::vector<float> rows(kDim);
      std::vector<std::uint32_t> missed;
      const RowCache::Keys of{.table = TableId{0}, .dim = kDim, .keys = keys};
      cache.Find(of, stamp, rows, {}, missed);
      cache.Put(of, stamp, step, row, {});
    }
  };
  pull(0, 600);  // Not all have room.
  const std::size_t bytes = cache.bytes();
  pull(2, 600);
  CHECK(cache.bytes() == bytes);
  CHECK(cache.evicted() < 100);  // Some counters are shared: their keys seem to be asked for twice.

  pull(3, 600);

  CHECK(cache.evicted() > 400);
}

TEST_CASE("a row is served for as many steps as was said", "[worker][row_cache]") {
  const std::uint64_t steps = GENERATE(0U, 1U, 7U);
  CAPTURE(steps);
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = steps});
  const std::vector<Key> keys = {5};
  const RowCache::Keys of{.table = TableId{2}, .dim = 2, .keys = keys};
  std::vector<float> rows = {3, 4};
  std::vector<std::uint32_t> counts = {11};
  cache.Put(of, cache.BeginPull(10), 8, rows, counts);

  for (std::uint64_t step = 10; step <= 12 + steps; ++step) {
    CAPTURE(step);
    rows = {0, 0};
    counts = {0};
    std::vector<std::uint32_t> missed;
    const std::uint64_t applied = cache.Find(of, cache.BeginPull(step), rows, counts, missed);
    const bool want = step <= 10 + steps;
    CHECK(missed.empty() == want);
    CHECK(rows == (want ? std::vector<float>{3, 4} : std::vector<float>{0, 0}));
    CHECK(counts[0] == (want ? 11 : 0));
    CHECK(applied == (want ? 8 : kNobody));
  }
}

TEST_CASE("an answer to an earlier pull does not replace that to a later one",
          "[worker][row_cache]") {
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 3});
  const std::vector<Key> keys = {5};
  const RowCache::Keys of{.table = TableId{0}, .dim = 1, .keys = keys};
  const std::uint64_t next_step = GENERATE(0U, 1U);
  const RowCache::Stamp early = cache.BeginPull(0);
  const RowCache::Stamp late = cache.BeginPull(next_step);

  cache.Put(of, late, 0, std::vector<float>{7}, {});
  cache.Put(of, early, 0, std::vector<float>{6}, {});

  std::vector<float> row = {0};
  std::vector<std::uint32_t> missed;
  cache.Find(of, cache.BeginPull(next_step), row, {}, missed);
  CHECK(row[0] == 7);
}

TEST_CASE("the widest rows are kept while there is room", "[worker][row_cache]") {
  RowCache cache({.bytes = kRowCacheBytesMin, .steps = 3});
  std::vector<Key> keys = {1, 2, 3, 4, 5};
  std::vector<float> rows(keys.size() * kRowDimMax, 2);
  std::vector<std::uint32_t> missed;
  for (std::uint64_t step = 0; step < 5; ++step) {
    missed.clear();
    const RowCache::Keys of{.table = TableId{0}, .dim = kRowDimMax, .keys = keys};
    const RowCache::Stamp stamp = cache.BeginPull(step);
    cache.Find(of, stamp, rows, {}, missed);
    cache.Put(of, stamp, step, rows, {});
    CHECK(cache.bytes() <= kRowCacheBytesMin);
  }
  CHECK(missed.size() == 2);  // Three of the widest have room.
}

}  // namespace
}  // namespace longtail
