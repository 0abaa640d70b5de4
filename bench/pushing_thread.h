// A worker that pushes all the time while a benchmark does things to its cluster.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "bench/figures.h"
#include "bench/program_cluster.h"
#include "longtail/cluster.h"

namespace longtail::bench {

/// A push that was acknowledged: when it began and when it ended, as Seconds().
struct PushTime {
  double begin = 0;
  double end = 0;
};

/// Makes the rows of `keys`.
inline void FillRows(Worker& worker, TableId table, std::span<const Key> keys, std::size_t dim) {
  constexpr std::size_t kAtOnce = 50'000;
  const std::vector<float> zeros(kAtOnce * dim);
  for (std::size_t at = 0; at < keys.size(); at += kAtOnce) {
    const auto some = keys.subspan(at, std::min(kAtOnce, keys.size() - at));
    Need(worker.Push(table, some, std::span(zeros).first(some.size() * dim)));
  }
}

/// Pushes batches in turn, until it is gone.
///
/// Thread: any.
class PushingThread {
 public:
  struct Pace {
    std::size_t depth = 1;      ///< Pushes in flight; the next waits for the oldest.
    absl::Duration computes{};  ///< How long it does nothing before each, as if for a step's model.
  };

  /// Batches are not empty and of one size; every gradient is -1.
  PushingThread(std::unique_ptr<Worker> worker, TableId table,
                const std::vector<std::vector<Key>>& batches, std::size_t dim, const Pace& pace)
      : worker_(std::move(worker)),
        pace_(pace),
        batches_(batches.size()),
        gradients_(batches[0].size() * dim, -1.0F) {
    for (std::size_t i = 0; i < batches.size(); ++i) {
      Need(worker_->Prepare(table, batches[i], batches_[i]));
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  ~PushingThread() { End(); }
  PushingThread(const PushingThread&) = delete;
  PushingThread& operator=(const PushingThread&) = delete;

  /// After it nothing is pushed any more.
  void End() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  std::vector<PushTime> Pushes() const {
    const std::scoped_lock lock(mutex_);
    return pushes_;
  }

  Worker& worker() { return *worker_; }

 private:
  void Run(const std::stop_token& stop) {
    struct Call {
      double begin;
      Pending pending;
    };
    std::deque<Call> calls;
    const auto finish = [&] {
      Need(calls.front().pending.Wait());
      const PushTime time{.begin = calls.front().begin, .end = Seconds()};
      calls.pop_front();
      const std::scoped_lock lock(mutex_);
      pushes_.push_back(time);
    };
    for (std::size_t i = 0; !stop.stop_requested(); ++i) {
      if (pace_.computes > absl::ZeroDuration()) absl::SleepFor(pace_.computes);
      if (calls.size() == pace_.depth) finish();
      const PushItem item{.keys = &batches_[i % batches_.size()], .gradients = gradients_};
      const double begin = Seconds();
      calls.push_back({.begin = begin, .pending = worker_->PushAsync({&item, 1})});
    }
    while (!calls.empty()) finish();
  }

  const std::unique_ptr<Worker> worker_;
  const Pace pace_;
  std::vector<KeyBatch> batches_;
  const std::vector<float> gradients_;
  mutable std::mutex mutex_;
  std::vector<PushTime> pushes_;
  std::jthread thread_;
};

}  // namespace longtail::bench
