// The gradients of equal keys summed on the device, long segments among them
// (kernels/segment_sum.h).
#pragma once

#include <cstdint>

#include "worker/device/device.h"

namespace longtail::device {

/// Thread: one owner; all calls on one stream.
class GradientSums {
 public:
  struct Options {
    std::uint32_t unique_max = 0;                ///< Keys of the largest batch, each counted once.
    std::uint32_t long_above = kNoLongSegments;  ///< Occurrences above which a key's are summed in
                                                 ///< parts. As it is: never, which gives the bits
                                                 ///< of the trainers' own code.
  };

  /// Errors: InvalidArgument, with the field; as Device::Allocate.
  static absl::StatusOr<GradientSums> Make(Device& device, const Options& options);

  /// Enqueues the sums that `call` describes; its long_above is not read. Needs call.unique_max of
  /// at most that of the options, no more than key_count keys in all segments, and a stream made
  /// for unique_max items.
  void Sum(Stream& stream, const SegmentSumCall& call, std::uint32_t key_count);

 private:
  struct Offsets {
    std::size_t flags, segments, segment_count;
  };

  GradientSums() = default;

  Options options_;
  Offsets offsets_{};
  Memory memory_;
};

}  // namespace longtail::device
