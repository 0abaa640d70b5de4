// The guard of the memory that a pull writes into.
//
// In one process a lane writes rows straight into the caller's buffer. A caller that gave up
// (deadline, dropped handle) or that has its answer already must be safe from a late or repeated
// delivery of the request: whoever writes enters first, and a closed sink lets nobody in.
//
// Thread: any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace longtail {

class PullSink {
 public:
  /// Makes a closed sink usable again. Nobody else may hold the sink.
  void Open() { state_.store(0, std::memory_order_release); }

  /// Asks to write; false if the sink is closed. Each true is followed by one Leave.
  [[nodiscard]] bool Enter() {
    const std::uint32_t before = state_.fetch_add(1, std::memory_order_acquire);
    if ((before & kClosed) == 0) return true;
    Leave();
    return false;
  }

  void Leave() {
    state_.fetch_sub(1, std::memory_order_release);
    state_.notify_all();
  }

  /// Lets nobody in any more and waits for those who are inside. That wait is bounded by their
  /// copying of one request's rows: they hold no lock and wait for nothing.
  void Close() {
    std::uint32_t now = state_.fetch_or(kClosed, std::memory_order_acq_rel) | kClosed;
    while (now != kClosed) {
      state_.wait(now, std::memory_order_acquire);
      now = state_.load(std::memory_order_acquire);
    }
  }

 private:
  static constexpr std::uint32_t kClosed = 1U << 31;
  std::atomic<std::uint32_t> state_{0};  // kClosed and the number of writers inside.
};

}  // namespace longtail
