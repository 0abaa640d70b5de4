// Synchronous training gives the same bits for any number of lanes and partitions.
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "server/cluster_fixture.h"

namespace longtail {
namespace {

using test::Must;

constexpr std::uint32_t kWorkers = 3;
constexpr std::uint32_t kDim = 5;

// What one worker does: pulls, makes gradients of what it got, pushes, ends the step.
absl::Status Train(Worker& worker, const std::vector<TableId>& tables) {
  Rng rng(1000 + worker.rank());
  KeyBatch batch;
  absl::Status outcome;
  for (int step = 0; step < 20; ++step) {
    for (const TableId table : tables) {
      const std::vector<Key> keys = test::Keys(rng, 1 + rng.Below(60), 80);
      outcome.Update(worker.Prepare(table, keys, batch));
      std::vector<float> rows(batch.unique_size() * kDim);
      const PullItem pull{.keys = &batch, .rows = rows};
      outcome.Update(worker.Pull({&pull, 1}));
      std::vector<float> gradients(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        // By key: the place of a key in its batch depends on the number of partitions.
        const float noise = UnitFloat(RandomBits(worker.step(), batch.keys()[i / kDim], i % kDim));
        gradients[i] =
            0.37F * rows[i] +
            (noise - 0.4F) * static_cast<float>(batch.counts()[i / kDim] + worker.rank());
      }
      const PushItem push{.keys = &batch, .gradients = gradients};
      outcome.Update(worker.Push({&push, 1}, {.learning_rate_scale = 0.8F}));
    }
    outcome.Update(worker.EndStep());
  }
  return outcome;
}

std::vector<std::uint64_t> Hashes(std::uint32_t lanes, std::uint32_t partitions) {
  const auto cluster = Must(Cluster::Embedded({.lanes = lanes,
                                               .partitions = partitions,
                                               .step_mode = StepMode::kSynchronous,
                                               .workers = kWorkers}));
  const std::vector<TableId> tables = {
      Must(cluster->CreateTable(test::SpecOf("a", kDim, AdagradSpec{.learning_rate = 0.3F}))),
      Must(cluster->CreateTable(test::SpecOf("b", kDim, MomentumSpec{.learning_rate = 0.1F}))),
      Must(cluster->CreateTable(test::SpecOf("c", kDim, AdamSpec{.learning_rate = 0.05F}))),
      Must(cluster->CreateTable(test::TailSpecOf("d", kDim))),
      Must(cluster->CreateTable(test::SharedSpecOf("e", kDim)))};
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < kWorkers; ++w) workers.push_back(Must(cluster->Connect()));
  std::vector<absl::Status> outcomes(kWorkers);
  std::vector<std::thread> threads;
  for (std::uint32_t w = 0; w < kWorkers; ++w) {
    threads.emplace_back([&, w] { outcomes[w] = Train(*workers[w], tables); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& outcome : outcomes) Must(outcome);
  // All steps are applied once a pull of the last is answered.
  for (const auto& worker : workers) test::Rows(*worker, tables[0], {1}, kDim);
  std::vector<std::uint64_t> hashes;
  for (const TableId table : tables) hashes.push_back(Must(cluster->Statistics(table)).hash);
  const TableStatistics tail = Must(cluster->Statistics(tables[3]));
  CHECK(tail.rows_promoted > 0);
  CHECK(tail.evicted_idle + tail.evicted_norm > 0);
  CHECK(Must(cluster->Statistics(tables[4])).shared_pushes > 0);
  hashes.insert(hashes.end(), {tail.rows_promoted, tail.evicted_idle, tail.evicted_norm});
  return hashes;
}

TEST_CASE("tables are bit-identical for any number of lanes and partitions", "[server][step]") {
  const std::vector<std::uint64_t> want = Hashes(1, 1);
  CHECK(want[0] != want[1]);
  for (const std::uint32_t partitions : {1U, 8U, 64U}) {
    for (const std::uint32_t lanes : {1U, 2U, 4U}) {
      if (lanes > partitions) continue;
      CAPTURE(lanes, partitions);
      CHECK(Hashes(lanes, partitions) == want);
    }
  }
}

}  // namespace
}  // namespace longtail
