#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "worker/device/hot_rows.h"
#include "worker/device/selfcheck/check_shapes.h"
#include "worker/device/selfcheck/device_check.h"

namespace longtail::device {
namespace {

constexpr std::uint32_t kSteps = 4;
constexpr std::uint32_t kAgeMax = 1;

// Some steps of a cache that has room for half of their keys.
struct CacheSteps {
  std::unique_ptr<HotRows> rows;
  std::vector<HotRows::Keys> keys;
  std::vector<HotRows::Rows> of;       // What is fetched, then read.
  HotRows::Rows changed;               // What is written: the next step reads it.
  std::vector<std::uint32_t*> places;  // By step, as all of these.
  CacheCounters* counters = nullptr;
};

Launch PrepareCache(Trial& trial, std::uint32_t examples) {
  const std::uint32_t count = examples * 2;
  const auto steps = std::make_shared<CacheSteps>();
  auto made = HotRows::Make(
      trial.device(), trial.stream(),
      {.row_count = count / 2 + 1, .row_dim = kCheckDim, .count_max = count, .age_max = kAgeMax});
  trial.Keep(made.status());
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    // Different keys, half of which the step before had.
    std::vector<std::uint64_t> keys(count);
    for (std::uint32_t i = 0; i < count; ++i) keys[i] = Mix64(step * (count / 2) + i);
    const std::string name = "step " + std::to_string(step);
    steps->keys.push_back({.table = 3,
                           .dim = kCheckDim,
                           .keys = trial.Array(name + " keys", keys),
                           .count = trial.Array(name + " count", std::vector<std::uint32_t>{count}),
                           .count_max = count});
    steps->of.push_back({.data = trial.Floats(name + " rows", std::size_t{count} * kCheckDim),
                         .stride = kCheckDim});
    steps->places.push_back(trial.Words(name + " places", count, 1));
  }
  steps->changed = {.data = trial.Floats("changed rows", std::size_t{count} * kCheckDim),
                    .stride = kCheckDim};
  static_assert(sizeof(CacheCounters) % sizeof(std::uint64_t) == 0);
  constexpr std::size_t kCounters = sizeof(CacheCounters) / sizeof(std::uint64_t);
  auto* const counters = trial.Array("counters", std::vector<std::uint64_t>(kCounters));
  if (!trial.status().ok()) return {};
  steps->rows = std::make_unique<HotRows>(*std::move(made));
  // Each time on a cache that is empty, for its steps begin at 1 again.
  return {.enqueue =
              [steps, counters, count](Stream& stream) {
                HotRows& rows = *steps->rows;
                const Cache& cache = rows.cache();
                const std::size_t ways = std::size_t{cache.set_count} * kCacheWays;
                stream.Fill(cache.stamps, 0, ways * sizeof(*cache.stamps));
                stream.Fill(cache.counters, 0, sizeof(CacheCounters));
                for (std::uint32_t step = 1; step <= kSteps; ++step) {
                  const HotRows::Keys& keys = steps->keys[step - 1];
                  const HotRows::Rows& of = steps->of[step - 1];
                  rows.Probe(stream, keys, step);
                  rows.Insert(stream, keys, of, {.now = step, .oldest = step}, step);
                  rows.Read(stream, keys, of);
                  rows.Write(stream, keys, steps->changed, step);
                  stream.Copy(steps->places[step - 1], rows.places(),
                              count * sizeof(std::uint32_t));
                }
                stream.Copy(counters, cache.counters, sizeof(CacheCounters));
              },
          .work = {.bytes = 4.0 * kSteps * count * (4 * kCheckDim + 30)}};
}

}  // namespace

void AddCacheChecks(std::vector<DeviceCheck>& checks) {
  checks.push_back({.name = "cache of hot rows", .prepare = PrepareCache});
}

}  // namespace longtail::device
