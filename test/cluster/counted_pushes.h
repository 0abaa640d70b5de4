// Workers that push whole numbers all the while, and what they were acknowledged: the tables must
// hold exactly that, whatever happens to servers meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/random.h"
#include "cluster/program_cluster.h"

namespace longtail::test {

inline std::vector<Key> KeysBelow(Key end) {
  std::vector<Key> keys;
  for (Key key = 0; key < end; ++key) keys.push_back(key);
  return keys;
}

/// Two workers, from construction to Stop. The table is of ExactSpec, four weights wide.
class CountedPushes {
 public:
  static TableSpec Spec() { return ExactSpec("t", kDim); }

  CountedPushes(Cluster& cluster, TableId table) : table_(table) {
    for (std::size_t w = 0; w < kWorkers; ++w) {
      workers_.push_back(Must(cluster.Connect({.retry_after = std::chrono::milliseconds(500)})));
    }
    for (std::size_t w = 0; w < kWorkers; ++w) {
      threads_.emplace_back([this, w] { Push(w); });
    }
  }
  ~CountedPushes() { Join(); }
  CountedPushes(const CountedPushes&) = delete;
  CountedPushes& operator=(const CountedPushes&) = delete;

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
    std::vector<float> want;
    for (std::size_t key = 0; key < kKeys; ++key) {
      want.insert(want.end(), kDim, static_cast<float>(3 + sums_[0][key] + sums_[1][key]));
    }
    return Rows(*workers_[0], table_, KeysBelow(kKeys), kDim) == want;
  }

 private:
  static constexpr std::size_t kWorkers = 2;
  static constexpr std::size_t kKeys = 500;
  static constexpr std::uint32_t kDim = 4;

  void Push(std::size_t w) {
    Rng gen(w + 1);
    while (!stop_ && outcomes_[w].ok()) {
      std::vector<Key> some;
      std::vector<float> gradients;
      for (Key key = 0; key < kKeys; ++key) {
        if (gen.Below(4) != 0) continue;
        some.push_back(key);
        const auto amount = static_cast<float>(1 + gen.Below(5));
        gradients.insert(gradients.end(), kDim, -amount);
      }
      outcomes_[w] = workers_[w]->Push(table_, some, gradients);
      if (!outcomes_[w].ok()) return;
      for (std::size_t i = 0; i < some.size(); ++i) {
        sums_[w][some[i]] -= static_cast<std::int64_t>(gradients[kDim * i]);
      }
      ++pushes_;
    }
  }
  void Join() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const TableId table_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> pushes_ = 0;
  // What each of them was acknowledged, by key.
  std::vector<std::vector<std::int64_t>> sums_{kWorkers, std::vector<std::int64_t>(kKeys, 0)};
  std::vector<absl::Status> outcomes_{kWorkers};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace longtail::test
