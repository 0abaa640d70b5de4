// Steps of a training on a device, several in flight: copies in, computing and copies out, each on
// a stream of its own.
//
//   host      fill a room   pull                                      await   push
//   in              inputs ------ rows ---+
//   compute                               wait --- model, on compute() ---+
//   out                                                                   wait --- results --+
//
//   step s        | read | pull | in | compute | out | push |
//   step s + 1           | read | pull | in   | compute | out | push |
//   step s + 2                  | read | pull | in     | compute | out | push |
//
// The host waits for results of the oldest step while younger ones compute; it waits for nothing
// else, but for the list of missed keys if there is a cache. No call allocates.
//
// What rows may have missed is decided by who pulls: rows that are pulled while d older steps have
// not been pushed lack the pushes of those d steps. With a cache they may be age_max steps older.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "worker/device/device.h"
#include "worker/device/hot_rows.h"
#include "worker/device/step_room.h"

namespace longtail::device {

/// Thread: one at a time. The device must outlive it.
class StepPipeline {
 public:
  struct Options {
    StepLimits limits{};
    std::uint32_t room_count = 2;
    std::uint32_t cache_rows = 0;     ///< Rows kept on the device (hot_rows.h); 0: none.
    std::uint32_t cache_age_max = 0;  ///< Steps that such a row is served for.
    RangeSink* trace = nullptr;       ///< Told of stages, beside the device's profiler; or null.
  };

  /// Errors: as StepRoom::Make, HotRows::Make and Device::MakeStream.
  static absl::StatusOr<std::unique_ptr<StepPipeline>> Make(Device& device, const Options& options);

  /// Waits for all that was enqueued.
  ~StepPipeline();

  StepRoom& room(std::size_t i) { return *rooms_[i]; }
  std::size_t room_count() const { return rooms_.size(); }
  bool has_cache() const { return cache_.has_value(); }

  /// What a model enqueues on, between SendRows and Return.
  Stream& compute() { return *compute_; }

  /// Whom all stages of its steps are to be told to; its own are "inputs in", "rows in",
  /// "find missed rows", "results out" and "wait for results".
  const RangeSinks& ranges() const { return ranges_; }

  /// Enqueues the copy of the inputs that the host has written.
  void SendInputs(StepRoom& room);

  /// With a cache, behind SendInputs: which keys' rows must be pulled for step `step`, from 1 on.
  /// Waits for the answer. SendRows of the step before must have been called.
  ///
  /// Shapes: places in the step's keys, ascending; valid until the next call.
  absl::StatusOr<std::span<const std::uint32_t>> FindMissed(StepRoom& room, std::uint32_t step);

  /// Enqueues the copy of the step's scalars and of `count` rows that the host has written: all of
  /// the step's, or with a cache those that were missed, with their ranks. compute() goes on when
  /// they are there.
  void SendRows(StepRoom& room, std::uint32_t count);

  /// Enqueues the copy of what the model has put into the room's results.
  void Return(StepRoom& room);

  /// Waits until the results are here.
  ///
  /// Errors: DeadlineExceeded; the first error of a stream.
  absl::Status Await(StepRoom& room);

  /// Waits until nothing is under way. Errors: as Await.
  absl::Status Finish();

  /// What the cache has counted; zero without one. Waits for a copy.
  absl::StatusOr<CacheCounters> CountersOfCache();

 private:
  StepPipeline() = default;

  StepLimits limits_;
  RangeSinks ranges_;
  std::unique_ptr<Stream> in_;
  std::unique_ptr<Stream> compute_;
  std::unique_ptr<Stream> out_;
  std::vector<std::unique_ptr<StepRoom>> rooms_;
  std::optional<HotRows> cache_;
  Memory missed_;  // Pinned: how many keys were missed, then which; then the cache's counters.
  std::unique_ptr<Event> probed_;
  std::uint32_t step_ = 0;  // Of the last probe.
};

}  // namespace longtail::device
