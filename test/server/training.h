// A training that touches all a table can do, and the hashes of what it leaves: equal wherever it
// ran, if the cluster keeps its promise.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "server/cluster_fixture.h"

namespace longtail::test {

inline constexpr std::uint32_t kTrainingWorkers = 3;
inline constexpr std::uint32_t kTrainingDim = 5;

// What one worker does: pulls, makes gradients of what it got, pushes, ends the step.
inline absl::Status Train(Worker& worker, const std::vector<TableId>& tables) {
  Rng rng(1000 + worker.rank());
  KeyBatch batch;
  absl::Status outcome;
  for (int step = 0; step < 20; ++step) {
    for (const TableId table : tables) {
      const std::vector<Key> keys = Keys(rng, 1 + rng.Below(60), 80);
      outcome.Update(worker.Prepare(table, keys, batch));
      std::vector<float> rows(batch.unique_size() * kTrainingDim);
      const PullItem pull{.keys = &batch, .rows = rows};
      outcome.Update(worker.Pull({&pull, 1}));
      std::vector<float> gradients(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        // By key: the place of a key in its batch depends on the number of partitions.
        const float noise =
            UnitFloat(RandomBits(worker.step(), batch.keys()[i / kTrainingDim], i % kTrainingDim));
        gradients[i] =
            0.37F * rows[i] +
            (noise - 0.4F) * static_cast<float>(batch.counts()[i / kTrainingDim] + worker.rank());
      }
      const PushItem push{.keys = &batch, .gradients = gradients};
      outcome.Update(worker.Push({&push, 1}, {.learning_rate_scale = 0.8F}));
    }
    outcome.Update(worker.EndStep());
  }
  return outcome;
}

/// Trains in a new synchronous cluster of kTrainingWorkers workers; hashes of its tables, then
/// counts of what happened to their rows. `connect` gives the worker of a rank; `meanwhile` is
/// called while they train.
template <typename Connect, typename Meanwhile>
std::vector<std::uint64_t> TrainingHashes(Cluster& cluster, Connect connect, Meanwhile meanwhile) {
  const std::vector<TableId> tables = {
      Must(cluster.CreateTable(SpecOf("a", kTrainingDim, AdagradSpec{.learning_rate = 0.3F}))),
      Must(cluster.CreateTable(SpecOf("b", kTrainingDim, MomentumSpec{.learning_rate = 0.1F}))),
      Must(cluster.CreateTable(SpecOf("c", kTrainingDim, AdamSpec{.learning_rate = 0.05F}))),
      Must(cluster.CreateTable(TailSpecOf("d", kTrainingDim))),
      Must(cluster.CreateTable(SharedSpecOf("e", kTrainingDim)))};
  std::vector<std::unique_ptr<Worker>> workers;
  for (std::uint32_t w = 0; w < kTrainingWorkers; ++w) workers.push_back(connect(w));
  std::vector<absl::Status> outcomes(kTrainingWorkers);
  std::vector<std::thread> threads;
  for (std::uint32_t w = 0; w < kTrainingWorkers; ++w) {
    threads.emplace_back([&, w] { outcomes[w] = Train(*workers[w], tables); });
  }
  meanwhile();
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& outcome : outcomes) Must(outcome);
  // All steps are applied once a pull of the last is answered.
  for (const auto& worker : workers) Rows(*worker, tables[0], {1}, kTrainingDim);
  std::vector<std::uint64_t> hashes;
  for (const TableId table : tables) hashes.push_back(Must(cluster.Statistics(table)).hash);
  const TableStatistics tail = Must(cluster.Statistics(tables[3]));
  CHECK(tail.rows_promoted > 0);
  CHECK(tail.evicted_idle + tail.evicted_norm > 0);
  CHECK(Must(cluster.Statistics(tables[4])).shared_pushes > 0);
  hashes.insert(hashes.end(), {tail.rows_promoted, tail.evicted_idle, tail.evicted_norm});
  return hashes;
}

template <typename Connect>
std::vector<std::uint64_t> TrainingHashes(Cluster& cluster, Connect connect) {
  return TrainingHashes(cluster, connect, [] {});
}

/// In an embedded cluster.
inline std::vector<std::uint64_t> EmbeddedTrainingHashes(std::uint32_t lanes,
                                                         std::uint32_t partitions) {
  const auto cluster = Must(Cluster::Embedded({.lanes = lanes,
                                               .partitions = partitions,
                                               .step_mode = StepMode::kSynchronous,
                                               .workers = kTrainingWorkers}));
  return TrainingHashes(*cluster, [&](std::uint32_t) { return Must(cluster->Connect()); });
}

}  // namespace longtail::test
