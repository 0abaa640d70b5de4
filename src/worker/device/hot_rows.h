// The cache of rows of a device (kernels/cache.h) with its memory and the steps of an insertion.
//
//   Probe    keys -> places of rows that are kept and fresh enough; a list of the rest
//   (fetch)  the rest, from the servers, to their places among all rows
//   Insert   the rest: sorted by set, a set after another
//   Read     kept rows, to their places among all rows
//   Write    rows that this worker has changed, into the cache
//
// What a row may have missed: with bound `age_max` a row that is served lacks the pushes of no step
// more than age_max before the one that asks, but for this worker's own, which Write brings.
#pragma once

#include <cstdint>

#include "worker/device/device.h"

namespace longtail::device {

/// Thread: one owner; all calls on one stream.
class HotRows {
 public:
  struct Options {
    std::uint32_t row_count = 0;  ///< Rows kept, rounded up to a power of two of sets.
    std::uint32_t row_dim = 0;    ///< Floats of the widest row.
    std::uint32_t count_max = 0;  ///< Keys of the largest probe.
    std::uint32_t age_max = 0;    ///< Steps.
  };

  /// Different keys of one table, in device memory.
  struct Keys {
    std::uint32_t table = 0;
    std::uint32_t dim = 0;
    const std::uint64_t* keys = nullptr;   ///< [*count] of [count_max]
    const std::uint32_t* count = nullptr;  ///< [1]
    std::uint32_t count_max = 0;           ///< Of this call; at most Options::count_max.
  };

  /// Rows in device memory, by place in Keys.
  struct Rows {
    float* data = nullptr;  ///< [count_max, stride]
    std::uint32_t stride = 0;
  };

  struct Step {
    std::uint32_t now = 0;     ///< From 1 on.
    std::uint32_t oldest = 0;  ///< The first that is not done: rows from it on stay.
  };

  /// Errors: InvalidArgument, with the field; as Device::Allocate.
  static absl::StatusOr<HotRows> Make(Device& device, Stream& stream, const Options& options);

  void Probe(Stream& stream, const Keys& of, std::uint32_t step);
  void Insert(Stream& stream, const Keys& of, const Rows& rows, Step step, std::uint32_t applied);
  void Read(Stream& stream, const Keys& of, const Rows& rows) const;
  void Write(Stream& stream, const Keys& of, const Rows& rows, std::uint32_t applied) const;

  /// Of the last Probe: the place of each row in the cache, or kNoPlace; and which keys were
  /// missed.
  const std::uint32_t* places() const { return memory_.At<std::uint32_t>(offsets_.places); }
  const std::uint32_t* missed() const { return memory_.At<std::uint32_t>(offsets_.missed); }
  const std::uint32_t* missed_count() const {
    return memory_.At<std::uint32_t>(offsets_.missed_count);
  }
  const CacheCounters* counters() const { return cache_.counters; }
  const Cache& cache() const { return cache_; }

 private:
  struct Offsets {
    std::size_t places, flags, missed, missed_count;
    std::size_t sets, order, sorted_sets, sorted_order;
    std::size_t run_sets, run_lengths, run_begins, run_count;
  };

  HotRows() = default;

  Options options_;
  Cache cache_;
  Offsets offsets_{};
  Memory memory_;
};

}  // namespace longtail::device
