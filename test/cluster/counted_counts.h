// Workers that push to a count table all the while, as counted_pushes.h does to one of weights.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"
#include "cluster/counted_pushes.h"
#include "cluster/program_cluster.h"
#include "server/counts_fixture.h"

namespace longtail::test {

/// Two workers, from construction to Stop.
class CountedCounts {
 public:
  static TableSpec Spec() { return CountSpecOf("topics", 2000); }

  CountedCounts(Cluster& cluster, TableId table) : table_(table) {
    for (std::size_t w = 0; w < kWorkers; ++w) {
      workers_.push_back(Must(cluster.Connect({.retry_after = std::chrono::milliseconds(500)})));
    }
    for (std::size_t w = 0; w < kWorkers; ++w) {
      threads_.emplace_back([this, w] { Push(w); });
    }
  }
  ~CountedCounts() { Join(); }
  CountedCounts(const CountedCounts&) = delete;
  CountedCounts& operator=(const CountedCounts&) = delete;

  int acknowledged() const { return pushes_; }

  /// Waits for ten more; false if they do not come.
  bool AwaitMore() const {
    const int before = pushes_;
    return Program::Await(absl::Seconds(20), [&] { return pushes_ >= before + 10; });
  }

  /// Ends them. Needs each push to have been acknowledged.
  void Stop() {
    Join();
    for (const absl::Status& outcome : outcomes_) Must(outcome);
  }

  /// Whether the rows are what was acknowledged, each push once. After Stop.
  bool AreExact() const {
    CountMaps want = sums_[0];
    for (const auto& [key, row] : sums_[1]) {
      for (const auto& [column, count] : row) {
        if ((want[key][column] += count) == 0) want[key].erase(column);
      }
    }
    const std::vector<Key> keys = KeysBelow(kKeys);
    return PullCounts(*workers_[0], table_, keys) == RowsOf(want, keys);
  }

 private:
  static constexpr std::size_t kWorkers = 2;
  static constexpr Key kKeys = 500;

  void Push(std::size_t w) {
    Rng gen(w + 1);
    while (!stop_ && outcomes_[w].ok()) {
      const CountChanges changes = RandomCountChanges(gen, 200, kKeys, Spec().dim);
      outcomes_[w] = workers_[w]->PushCounts(table_, changes.keys, changes.rows);
      if (!outcomes_[w].ok()) return;
      Add(changes, sums_[w]);
      ++pushes_;
    }
  }

  void Join() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

  const TableId table_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> pushes_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  CountMaps sums_[kWorkers];
  absl::Status outcomes_[kWorkers];
  std::vector<std::thread> threads_;
};

}  // namespace longtail::test
