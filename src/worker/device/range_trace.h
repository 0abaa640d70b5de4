// Ranges kept in memory: for tests, and for a file that browsers show as a timeline.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "worker/device/range.h"

namespace longtail::device {

/// A range that has ended.
struct TracedRange {
  const char* name = nullptr;
  std::uint32_t thread = 0;  ///< Threads are numbered as they come.
  std::uint32_t depth = 0;   ///< Ranges of its thread that it lies in.
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

/// Cost: a lock and two readings of a clock each range; 40 bytes, of kRangesMax at most.
class RangeTrace final : public RangeSink {
 public:
  /// Of a trace; what comes behind them is counted and left out.
  static constexpr std::size_t kRangesMax = std::size_t{1} << 20;

  explicit RangeTrace(std::size_t ranges_max = kRangesMax) : ranges_max_(ranges_max) {}

  void Begin(const char* name) override;
  void End() override;

  /// Those that have ended, in the order of their ends.
  std::vector<TracedRange> ranges() const;
  std::uint64_t left_out() const;

  /// Writes them as a Chrome trace, which chrome://tracing and ui.perfetto.dev show.
  ///
  /// Errors: Unavailable, with the path.
  absl::Status Write(const std::string& path) const;

 private:
  struct Open {
    const char* name;
    std::int64_t begin_ns;
  };
  struct Thread {
    std::thread::id id;
    std::vector<Open> open;
  };

  Thread& ThisThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::size_t ranges_max_;
  mutable Mutex mutex_;
  std::vector<Thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<TracedRange> ranges_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace longtail::device
