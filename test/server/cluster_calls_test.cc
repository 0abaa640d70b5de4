// Pulls and pushes through the public API, in asynchronous mode.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::ExactSpec;
using test::Must;
using test::Rows;

TEST_CASE("a pull inserts nothing", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(test::SpecOf("t", 3, AdagradSpec{})));
  const auto worker = Must(cluster->Connect());

  const std::vector<float> rows = Rows(*worker, table, {1, 2, 3, 0, ~Key{0}}, 3);

  CHECK(std::ranges::count(rows, 0.0F) == 0);
  CHECK(Must(cluster->Statistics(table)).rows == 0);
  CHECK(Must(cluster->Statistics(table)).pulls == 5);
  CHECK(Rows(*worker, table, {1, 2, 3, 0, ~Key{0}}, 3) == rows);
}

TEST_CASE("gradients of equal keys are summed and rows come back in the order of keys",
          "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 2)));
  const auto worker = Must(cluster->Connect());

  Must(worker->Push(table, std::vector<Key>{8, 5, 8}, std::vector<float>{1, 2, 10, 20, 4, 8}));

  CHECK(Rows(*worker, table, {5, 9, 8, 5}, 2) ==
        std::vector<float>{-7, -17, 3, 3, -2, -7, -7, -17});
  CHECK(Must(cluster->Statistics(table)).rows_by_count ==
        std::vector<std::pair<std::uint32_t, std::uint64_t>>{{1, 1}, {2, 1}});
}

TEST_CASE("tables of different widths travel in one call", "[server][cluster]") {
  const std::uint32_t lanes = GENERATE(1U, 3U);
  CAPTURE(lanes);
  const auto cluster = Must(Cluster::Embedded({.lanes = lanes, .partitions = 8}));
  const std::vector<std::uint32_t> dims = {1, 5, 16};
  std::vector<TableId> tables;
  for (const std::uint32_t dim : dims) {
    const std::string name = "t" + std::to_string(dim);
    tables.push_back(Must(cluster->CreateTable(ExactSpec(name.c_str(), dim))));
  }
  const auto worker = Must(cluster->Connect());
  Rng rng(lanes);
  std::vector<KeyBatch> batches(3);
  std::vector<std::vector<float>> gradients(3);
  std::vector<std::vector<float>> rows(3);
  std::vector<std::vector<std::uint32_t>> counts(3);
  std::vector<PushItem> pushes;
  std::vector<PullItem> pulls;
  for (std::size_t t = 0; t < 3; ++t) {
    const std::vector<Key> keys = test::Keys(rng, 60, 40);
    Must(worker->Prepare(tables[t], keys, batches[t]));
    const std::size_t floats = batches[t].unique_size() * dims[t];
    for (std::size_t i = 0; i < floats; ++i) {
      gradients[t].push_back(static_cast<float>(1 + rng.Below(9)));
    }
    rows[t].resize(floats);
    counts[t].resize(batches[t].unique_size());
    pushes.push_back({.keys = &batches[t], .gradients = gradients[t]});
    pulls.push_back({.keys = &batches[t], .rows = rows[t], .counts = counts[t]});
  }

  Must(worker->Push(pushes));
  Must(worker->Pull(pulls));

  for (std::size_t t = 0; t < 3; ++t) {
    CAPTURE(t);
    std::vector<float> want;
    for (const float gradient : gradients[t]) want.push_back(3 - gradient);
    CHECK(rows[t] == want);
    CHECK(std::ranges::equal(counts[t], batches[t].counts()));
  }
}

TEST_CASE("a push of occurrences that do not count leaves the counts", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  KeyBatch batch;
  Must(worker->Prepare(table, std::vector<Key>{4, 5, 4}, batch));
  const std::vector<float> gradients = {2, 2};
  std::vector<float> rows(2);
  std::vector<std::uint32_t> counts(2);
  PushItem push{.keys = &batch, .gradients = gradients};
  Must(worker->Push({&push, 1}));

  push.counts_occurrences = false;
  Must(worker->Push({&push, 1}));

  const PullItem pull{.keys = &batch, .rows = rows, .counts = counts};
  Must(worker->Pull({&pull, 1}));
  CHECK(rows == std::vector<float>{-1, -1});
  CHECK(std::ranges::equal(counts, batch.counts()));
}

TEST_CASE("a hundred thousand keys are pushed and pulled in one call", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  std::vector<Key> keys;
  std::vector<float> gradients;
  std::vector<float> want;
  for (Key key = 0; key < 100'000; ++key) {
    keys.push_back(key * 0x9E3779B97F4A7C15U);
    gradients.push_back(static_cast<float>(key));
    want.push_back(3 - static_cast<float>(key));
  }

  Must(worker->Push(table, keys, gradients));

  CHECK(Rows(*worker, table, keys, 1) == want);
  CHECK(Must(cluster->Statistics(table)).rows == 100'000);
}

TEST_CASE("workers on threads of their own lose no push", "[server][cluster]") {
  constexpr std::uint32_t kWorkers = 4;
  constexpr int kPushes = 50;
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8, .workers = kWorkers}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 2)));
  const std::vector<Key> keys = {1, 2, 3, 4, 5, 6, 7};
  std::vector<absl::Status> outcomes(kWorkers);
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < kWorkers; ++w) workers.push_back(Must(cluster->Connect()));

  std::vector<std::thread> threads;
  for (std::uint32_t w = 0; w < kWorkers; ++w) {
    threads.emplace_back([&, w] {
      std::vector<float> rows(14);
      const std::vector<float> gradients(14, static_cast<float>(w + 1));
      for (int i = 0; i < kPushes; ++i) {
        outcomes[w].Update(workers[w]->Push(table, keys, gradients));
        outcomes[w].Update(workers[w]->Pull(table, keys, rows));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const absl::Status& outcome : outcomes) Must(outcome);
  CHECK(Rows(*workers[0], table, keys, 2) == std::vector<float>(14, 3 - kPushes * 10));
}

TEST_CASE("one worker serves many threads", "[server][cluster]") {
  constexpr std::uint32_t kThreads = 4;
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  // Requests are sent again much too early, so that lanes see them twice.
  const auto worker = Must(cluster->Connect({.retry_after = std::chrono::milliseconds(1)}));
  std::vector<absl::Status> outcomes(kThreads);

  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      KeyBatch batch;
      const std::vector<float> gradients = {1, 1, 1};
      std::vector<float> rows(3);
      for (int i = 0; i < 100; ++i) {
        outcomes[t].Update(worker->Prepare(table, std::vector<Key>{1, 2, t + 10}, batch));
        const PushItem push{.keys = &batch, .gradients = gradients};
        outcomes[t].Update(worker->Push({&push, 1}));
        const PullItem pull{.keys = &batch, .rows = rows};
        outcomes[t].Update(worker->Pull({&pull, 1}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const absl::Status& outcome : outcomes) Must(outcome);
  CHECK(Rows(*worker, table, {1, 2, 10, 11, 12, 13}, 1) ==
        std::vector<float>{-397, -397, -97, -97, -97, -97});
}

TEST_CASE("calls in flight may be waited for in any order", "[server][cluster]") {
  const std::uint64_t seed = GENERATE(range<std::uint64_t>(0, 20));
  CAPTURE(seed);
  Rng rng(seed);
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 1)));
  const auto worker = Must(cluster->Connect());
  KeyBatch batch;
  Must(worker->Prepare(table, std::vector<Key>{1, 2, 3, 4, 5}, batch));
  const std::vector<float> gradients(5, 1);
  std::vector<std::vector<float>> rows(10, std::vector<float>(5));
  std::vector<Pending> calls;
  for (std::vector<float>& row : rows) {
    const PushItem push{.keys = &batch, .gradients = gradients};
    calls.push_back(worker->PushAsync({&push, 1}));
    const PullItem pull{.keys = &batch, .rows = row};
    calls.push_back(worker->PullAsync({&pull, 1}));
  }

  while (!calls.empty()) {
    std::swap(calls[rng.Below(calls.size())], calls.back());
    Must(calls.back().Wait());
    calls.pop_back();
  }

  for (std::size_t i = 0; i < rows.size(); ++i) {  // A pull sees the pushes before it.
    CHECK(rows[i] == std::vector<float>(5, 2 - static_cast<float>(i)));
  }
}

TEST_CASE("a call of no keys or no items succeeds", "[server][cluster]") {
  const auto cluster = Must(Cluster::Embedded({.lanes = 2, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(ExactSpec("t", 2)));
  const auto worker = Must(cluster->Connect());

  CHECK(worker->Pull(table, {}, {}).ok());
  CHECK(worker->Push(table, {}, {}).ok());
  CHECK(worker->Pull(std::span<const PullItem>{}).ok());
  CHECK(worker->Push(std::span<const PushItem>{}).ok());
}

}  // namespace
}  // namespace longtail
