// Once warm, the whole path from a worker to the tables and back allocates nothing.
#include <catch2/catch.hpp>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "server/cluster_fixture.h"
#include "support/alloc_count.h"

namespace longtail {
namespace {

using test::Must;

TEST_CASE("warm calls allocate nothing in any thread", "[server][cluster]") {
  if (!test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  const std::uint32_t lanes = GENERATE(1U, 2U, 4U);
  const std::size_t cache_bytes = GENERATE(std::size_t{0}, std::size_t{64} << 10);
  CAPTURE(lanes, cache_bytes);
  const auto cluster = Must(Cluster::Embedded({.lanes = lanes, .partitions = 8}));
  const TableId a = Must(cluster->CreateTable(test::SpecOf("a", 4, AdagradSpec{})));
  const TableId b = Must(cluster->CreateTable(test::SpecOf("b", 9, AdamSpec{})));
  // Of a cache, steps are served from it whole, in part, and not at all.
  const auto worker = Must(cluster->Connect(
      {.row_cache_bytes = cache_bytes, .row_cache_steps = cache_bytes == 0 ? 0U : 2U}));
  Rng rng(3);
  const std::vector<Key> keys_a = test::Keys(rng, 200, 100);
  const std::vector<Key> keys_b = test::Keys(rng, 150, 100);
  std::vector<KeyBatch> batches(2);
  std::vector<float> rows_a(100 * 4);
  std::vector<float> rows_b(100 * 9);
  const std::vector<float> gradients = test::Floats(rng, 100 * 9, -1, 1);
  absl::Status outcome;
  const auto one_step = [&] {
    outcome.Update(worker->Prepare(a, keys_a, batches[0]));
    outcome.Update(worker->Prepare(b, keys_b, batches[1]));
    const std::size_t n_a = batches[0].unique_size() * 4;
    const std::size_t n_b = batches[1].unique_size() * 9;
    const PullItem pulls[] = {{.keys = &batches[0], .rows = std::span(rows_a).first(n_a)},
                              {.keys = &batches[1], .rows = std::span(rows_b).first(n_b)}};
    const PushItem pushes[] = {{.keys = &batches[0], .gradients = std::span(gradients).first(n_a)},
                               {.keys = &batches[1], .gradients = std::span(gradients).first(n_b)}};
    outcome.Update(worker->Pull(pulls));
    outcome.Update(
        worker->Pull({&pulls[worker->step() % 2], 1}, {.fresh = worker->step() % 5 == 0}));
    outcome.Update(worker->Push(pushes));
    outcome.Update(worker->EndStep());
  };
  // Mailboxes hold as many messages as happen to arrive together: fill them once.
  for (int round = 0; round < 200; ++round) {
    one_step();
    const PullItem pull{.keys = &batches[0],
                        .rows = std::span(rows_a).first(batches[0].unique_size() * 4)};
    std::vector<Pending> calls;
    for (int i = 0; i < 16; ++i) calls.push_back(worker->PullAsync({&pull, 1}));
    for (Pending& call : calls) outcome.Update(call.Wait());
  }
  for (int i = 0; i < 100; ++i) one_step();
  const std::uint64_t allocations = test::AllocationCount();
  const std::uint64_t releases = test::ReleaseCount();

  for (int i = 0; i < 1000; ++i) one_step();

  const std::uint64_t allocated = test::AllocationCount() - allocations;
  const std::uint64_t released = test::ReleaseCount() - releases;
  Must(outcome);
  CHECK(allocated == 0);
  CHECK(released == 0);
}

TEST_CASE("warm calls with a batch prepared once allocate nothing", "[server][cluster]") {
  if (!test::CountsAllocations()) {
    std::puts("[skip] the thread sanitizer keeps operator new for itself");
    return;
  }
  const auto cluster = Must(Cluster::Embedded({.lanes = 1, .partitions = 8}));
  const TableId table = Must(cluster->CreateTable(test::SpecOf("a", 4, AdagradSpec{})));
  const std::size_t cache_bytes = GENERATE(std::size_t{0}, std::size_t{64} << 10);
  CAPTURE(cache_bytes);
  const auto worker = Must(cluster->Connect(
      {.row_cache_bytes = cache_bytes, .row_cache_steps = cache_bytes == 0 ? 0U : 1U}));
  KeyBatch batch;
  Must(worker->Prepare(table, std::vector<Key>{1, 2, 3}, batch));
  std::vector<float> rows(12);
  const std::vector<float> gradients(12, 0.5F);
  const PullItem pull{.keys = &batch, .rows = rows};
  const PushItem push{.keys = &batch, .gradients = gradients};
  absl::Status outcome;
  const auto one_step = [&] {
    outcome.Update(worker->Pull({&pull, 1}));
    outcome.Update(worker->Push({&push, 1}));
    outcome.Update(worker->EndStep());
  };
  // A call's state may still be held for a moment after its Wait: have some to spare.
  for (int round = 0; round < 20; ++round) {
    std::vector<Pending> calls;
    for (int i = 0; i < 8; ++i) {
      calls.push_back(worker->PullAsync({&pull, 1}));
      calls.push_back(worker->PushAsync({&push, 1}));
      calls.push_back(worker->EndStepAsync());
    }
    for (Pending& call : calls) outcome.Update(call.Wait());
  }
  for (int i = 0; i < 100; ++i) one_step();
  const std::uint64_t allocations = test::AllocationCount();

  for (int i = 0; i < 1000; ++i) one_step();

  const std::uint64_t allocated = test::AllocationCount() - allocations;
  Must(outcome);
  CHECK(allocated == 0);
}

}  // namespace
}  // namespace longtail
