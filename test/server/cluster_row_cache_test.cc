// Workers that keep rows for some steps. Rows begin at 3 and move by whole gradients, so each value
// tells which pushes it has.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "server/cluster_fixture.h"
#include "server/training.h"

namespace longtail {
namespace {

using test::ExactSpec;
using test::Must;
using test::Rows;
using test::Says;

constexpr std::size_t kCacheBytes = std::size_t{1} << 20;
const std::vector<Key> kOne = {1};

WorkerOptions Cached(std::uint32_t steps) {
  return {.row_cache_bytes = kCacheBytes, .row_cache_steps = steps};
}

ClusterOptions Two(StepMode mode) {
  return {.lanes = 2, .partitions = 8, .step_mode = mode, .workers = 2};
}

TEST_CASE("a push of another is seen when a row has been kept as long as was said",
          "[server][row_cache]") {
  const std::uint32_t steps = GENERATE(0U, 1U, 4U);
  CAPTURE(steps);
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kAsynchronous)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto cached = Must(cluster->Connect(Cached(steps)));
  const auto other = Must(cluster->Connect());
  constexpr std::uint32_t kSteps = 20;
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    CAPTURE(step);
    const std::uint32_t fetched = step - step % (steps + 1);  // Two pushes a step.
    CHECK(Rows(*cached, table, kOne, 1)[0] == 3 - 2 * static_cast<float>(fetched));
    Must(other->Push(table, kOne, std::vector<float>{1}));
    CHECK(Rows(*cached, table, kOne, 1)[0] == 3 - 2 * static_cast<float>(fetched));
    Must(other->Push(table, kOne, std::vector<float>{1}));
    Must(cached->EndStep());
  }
  const WorkerStatistics statistics = cached->statistics();
  CHECK(statistics.cache_rows_missed == (kSteps + steps) / (steps + 1));
  CHECK(statistics.cache_rows_served == 2 * kSteps - statistics.cache_rows_missed);
  CHECK(statistics.cache_rows_evicted == 0);
  CHECK(statistics.cache_bytes > 0);
  CHECK(statistics.cache_bytes <= kCacheBytes);
  CHECK(other->statistics() == WorkerStatistics{});
}

TEST_CASE("own pushes are sent at once, count once, and are seen by pulls past the cache",
          "[server][row_cache]") {
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kAsynchronous)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 2)));
  const auto worker = Must(cluster->Connect(Cached(3)));
  std::vector<float> row(2);
  for (int step = 0; step < 10; ++step) {
    CAPTURE(step);
    const auto kept = static_cast<float>(step - step % 4);
    CHECK(Rows(*worker, table, kOne, 2) == std::vector<float>{3 - kept, 3 - 2 * kept});
    Must(worker->Push(table, kOne, std::vector<float>{1, 2}));
    const auto pushed = static_cast<float>(step + 1);
    const std::vector<float> want = {3 - pushed, 3 - 2 * pushed};
    for (const CallOptions& past : {CallOptions{.fresh = true}, CallOptions{.exact_on_wire = true},
                                    CallOptions{.steps_ahead = std::nullopt}}) {
      Must(worker->Pull(table, kOne, row, past));
      CHECK(row == want);
    }
    Must(worker->EndStep());
  }
  CHECK(Must(cluster->Statistics(table)).pushes == 10);
  CHECK(worker->statistics().cache_rows_served == 7);
  CHECK(worker->statistics().cache_rows_missed == 3);
}

TEST_CASE("rows of many tables are served with their counts, and fetched where they lack",
          "[server][row_cache]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 3, .partitions = 16}));
  const std::array<std::uint32_t, 3> dims = {1, 5, 16};
  std::vector<TableId> tables;
  for (const std::uint32_t dim : dims) {
    tables.push_back(
        Must(cluster->CreateTable(ExactSpec(("t" + std::to_string(dim)).c_str(), dim))));
  }
  const auto worker = Must(cluster->Connect(Cached(2)));
  Rng rng(5);
  std::vector<KeyBatch> batches(3);
  std::vector<std::vector<float>> rows(3);
  std::vector<std::vector<std::uint32_t>> counts(3);
  // A row's pushes so far: its key is in one push of each step up to now, by chance.
  std::vector<std::vector<float>> pushed(3, std::vector<float>(200, 0));
  std::vector<std::vector<float>> at_fetch = pushed;
  std::vector<std::vector<int>> fetched(3, std::vector<int>(200, -100));
  for (int step = 0; step < 30; ++step) {
    CAPTURE(step);
    std::vector<PullItem> pulls;
    std::vector<PushItem> pushes;
    std::vector<std::vector<float>> ones(3);
    for (std::size_t t = 0; t < 3; ++t) {
      std::vector<Key> keys(50);
      for (Key& key : keys) key = rng.Below(200);
      Must(worker->Prepare(tables[t], keys, batches[t]));
      const std::size_t n = batches[t].unique_size();
      rows[t].assign(n * dims[t], -1);
      counts[t].assign(n, 1'000'000);
      ones[t].assign(n * dims[t], 1);
      pulls.push_back({.keys = &batches[t], .rows = rows[t], .counts = counts[t]});
      pushes.push_back({.keys = &batches[t], .gradients = ones[t]});
    }

    Must(worker->Pull(pulls));

    for (std::size_t t = 0; t < 3; ++t) {
      for (std::size_t i = 0; i < batches[t].unique_size(); ++i) {
        const Key key = batches[t].keys()[i];
        if (step - fetched[t][key] > 2) {
          fetched[t][key] = step;
          at_fetch[t][key] = pushed[t][key];
        }
        const float want = 3 - at_fetch[t][key];
        const float* const row = rows[t].data() + i * dims[t];
        REQUIRE(std::count(row, row + dims[t], want) == dims[t]);
        pushed[t][key] += 1;
      }
    }
    Must(worker->Push(pushes));
    Must(worker->EndStep());
  }
  CHECK(worker->statistics().cache_rows_served > 1000);
  CHECK(worker->statistics().cache_rows_missed > 1000);
}

TEST_CASE("a count is served as it was when its row was fetched", "[server][row_cache]") {
  const auto cluster = Must(Cluster::Embedded({}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect(Cached(1)));
  KeyBatch batch;
  Must(worker->Prepare(table, std::vector<Key>{1, 1, 1}, batch));
  std::vector<float> row(1);
  std::vector<std::uint32_t> count(1);
  const PullItem pull{.keys = &batch, .rows = row, .counts = count};
  const std::vector<float> gradient = {2};
  const PushItem push{.keys = &batch, .gradients = gradient};
  const auto count_now = [&] {
    Must(worker->Pull({&pull, 1}));
    return count[0];
  };
  CHECK(Rows(*worker, table, kOne, 1)[0] == 3);  // Without a count: that cannot be served.
  Must(worker->Push({&push, 1}));
  CHECK(count_now() == 3);
  Must(worker->Push({&push, 1}));
  CHECK(count_now() == 3);
  Must(worker->EndStep());
  CHECK(count_now() == 3);
  Must(worker->EndStep());
  CHECK(count_now() == 6);
}

TEST_CASE("with bounded staleness rows lack the bound's steps and the cache's, and say so",
          "[server][row_cache][bounded]") {
  const std::uint32_t steps = GENERATE(0U, 1U, 3U);
  CAPTURE(steps);
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kBoundedStaleness)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto cached = Must(cluster->Connect(Cached(steps)));
  const auto other = Must(cluster->Connect());
  WorkerStatistics want;
  for (std::uint32_t step = 0; step < 12; ++step) {
    CAPTURE(step);
    const std::uint32_t kept = step % (steps + 1);
    CHECK(Rows(*cached, table, kOne, 1)[0] == 3 - static_cast<float>(step - kept));
    ++want.pulls_by_staleness[kept];
    Must(other->Push(table, kOne, std::vector<float>{1}));
    Must(other->EndStep());
    Must(cached->EndStep());
  }
  CHECK(cached->statistics().pulls_by_staleness == want.pulls_by_staleness);
}

TEST_CASE("a worker whose rows are all served runs ahead by the cache's steps and no further",
          "[server][row_cache][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kBoundedStaleness)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto cached = Must(cluster->Connect(Cached(2)));
  const auto slow = Must(cluster->Connect());
  for (int step = 0; step < 3; ++step) {
    CHECK(Rows(*cached, table, kOne, 1)[0] == 3);
    Must(cached->EndStep());
  }
  std::vector<float> rows = {-99, -99};
  const std::vector<Key> two = {1, 2};

  const absl::Status status =
      cached->Pull(table, two, rows, {.timeout = std::chrono::milliseconds(20)});

  CHECK(absl::IsDeadlineExceeded(status));
  CHECK(Says(status, "pull of 2 keys: no answer from lane "));
  // Nothing of that came into the cache.
  Must(slow->Push(table, two, std::vector<float>{5, 7}));
  for (int step = 0; step < 3; ++step) Must(slow->EndStep());
  CHECK(Rows(*cached, table, two, 1) == std::vector<float>{-2, -4});
}

TEST_CASE("a pull that was given up writes nothing more and leaves nothing in the cache",
          "[server][row_cache][bounded]") {
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kBoundedStaleness)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto cached = Must(cluster->Connect(Cached(1)));
  const auto slow = Must(cluster->Connect());
  Rows(*cached, table, kOne, 1);
  Must(cached->EndStep());
  Must(slow->EndStep());
  Rows(*cached, table, {2}, 1);
  Must(cached->EndStep());
  KeyBatch batch;
  const std::vector<Key> three = {1, 2, 3};
  Must(cached->Prepare(table, three, batch));
  std::vector<float> rows(3, -99);
  const PullItem item{.keys = &batch, .rows = rows};

  cached->PullAsync({&item, 1});  // Key 2 is served; the others wait for the slow worker.

  CHECK(std::ranges::count(rows, 3.0F) == 1);
  CHECK(std::ranges::count(rows, -99.0F) == 2);
  const std::vector<float> then = rows;
  Must(slow->Push(table, three, std::vector<float>{5, 7, 9}));
  Must(slow->EndStep());
  // Answered behind those that were given up, by each lane.
  CHECK(Rows(*cached, table, {1, 2, 3, 4, 5, 6, 7, 8, 9}, 1) ==
        std::vector<float>{-2, 3, -6, 3, 3, 3, 3, 3, 3});
  CHECK(rows == then);
}

TEST_CASE("synchronous mode refuses a cache beyond a step, and its rank stays free",
          "[server][row_cache]") {
  ClusterOptions options = Two(StepMode::kSynchronous);
  options.workers = 1;
  const auto cluster = Must(Cluster::Embedded(options));

  const absl::Status status = cluster->Connect(Cached(1)).status();

  CHECK(absl::IsInvalidArgument(status));
  CHECK(Says(status, "row_cache_steps 1: want 0 in synchronous mode"));
  CHECK(cluster->Connect(Cached(0)).ok());
}

TEST_CASE("a cache within a step changes no bit of a synchronous training",
          "[server][row_cache][step]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2,
                                               .partitions = 8,
                                               .step_mode = StepMode::kSynchronous,
                                               .workers = test::kTrainingWorkers}));
  const std::vector<std::uint64_t> got = test::TrainingHashes(
      *cluster, [&](std::uint32_t) { return Must(cluster->Connect(Cached(0))); });

  CHECK(got == test::EmbeddedTrainingHashes(2, 8));
}

TEST_CASE("pulls of many threads keep to the bound while steps end and others push",
          "[server][row_cache]") {
  constexpr std::uint32_t kSteps = 2;
  constexpr std::uint64_t kLast = 150;
  constexpr int kPullers = 3;
  const auto cluster = Must(Cluster::Embedded(Two(StepMode::kAsynchronous)));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 4)));
  // So little memory that rows leave all the time.
  const auto cached =
      Must(cluster->Connect({.row_cache_bytes = std::size_t{64} << 10, .row_cache_steps = kSteps}));
  const auto other = Must(cluster->Connect());
  std::vector<Key> keys(2000);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  const std::vector<float> ones(keys.size() * 4, 1);
  // Pushes that were acknowledged before each step of the cached worker began.
  std::vector<std::atomic<int>> pushed(kLast + 1);
  std::atomic<int> failures = 0;
  std::atomic<int> too_old = 0;
  std::thread stepper([&] {
    for (std::uint64_t step = 0; step < kLast; ++step) {
      if (!other->Push(table, keys, ones).ok()) ++failures;
      pushed[step + 1] = static_cast<int>(step) + 1;
      if (!cached->EndStep().ok()) ++failures;
    }
  });
  std::vector<std::thread> pullers;
  for (int p = 0; p < kPullers; ++p) {
    pullers.emplace_back([&, p] {
      Rng rng(100 + static_cast<std::uint64_t>(p));
      KeyBatch batch;
      std::vector<float> rows(200 * 4);
      for (std::uint64_t step = 0; step < kLast;) {
        std::vector<Key> some(200);  // Most of them of a few.
        for (Key& key : some) key = rng.Below(4) == 0 ? rng.Below(2000) : rng.Below(40);
        if (!cached->Prepare(table, some, batch).ok()) ++failures;
        const PullItem item{.keys = &batch, .rows = std::span(rows).first(batch.unique_size() * 4)};
        step = cached->step();
        Pending pull = cached->PullAsync({&item, 1}, {});
        if (rng.Below(8) == 0) continue;  // Given up.
        if (!pull.Wait().ok()) ++failures;
        const int least = pushed[step - std::min<std::uint64_t>(step, kSteps)];
        for (const float weight : item.rows) {
          if (weight > 3 - static_cast<float>(least)) ++too_old;
        }
      }
    });
  }
  stepper.join();
  for (std::thread& puller : pullers) puller.join();

  CHECK(failures == 0);
  CHECK(too_old == 0);
  CHECK(cached->statistics().cache_rows_served > 100);
  CHECK(cached->statistics().cache_bytes <= std::size_t{64} << 10);
  std::vector<float> rows(keys.size() * 4);
  Must(cached->Pull(table, keys, rows, {.fresh = true}));
  CHECK(std::ranges::count(rows, 3 - static_cast<float>(kLast)) ==
        static_cast<std::ptrdiff_t>(rows.size()));
}

}  // namespace
}  // namespace longtail
