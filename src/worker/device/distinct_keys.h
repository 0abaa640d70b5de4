// The different keys of a batch, found on the device: by a sort, whose order serves the way back
// too.
//
//   keys           7 3 7 9 3 7                        as they came, positions 0 … 5
//   sorted         3 3 | 7 7 7 | 9      by hash, so grouped by partition; equal ones by position
//   keys()         3     7       9      each once
//   begins()       0     2       5  6   segments of positions(), for segment_sum.h
//   inverse()      1 0 1 2 0 1          for pool.h
#pragma once

#include <cstdint>
#include <memory>

#include "worker/device/device.h"

namespace longtail::device {

/// Thread: one owner. Its results are those of the last Find on its stream.
class DistinctKeys {
 public:
  /// Takes the memory for batches of at most `count_max` keys.
  ///
  /// Errors: as Device::Allocate; InvalidArgument if count_max is 0 or above kItemsMax.
  static absl::StatusOr<DistinctKeys> Make(Device& device, std::uint32_t count_max);

  /// Enqueues the search. Needs count <= count_max, and a stream made for as many.
  ///
  /// Shapes: keys [count], of the device.
  void Find(Stream& stream, const std::uint64_t* keys, std::uint32_t count);

  const std::uint64_t* keys() const { return At<std::uint64_t>(offsets_.keys); }
  const std::uint32_t* unique_count() const { return At<std::uint32_t>(offsets_.unique_count); }
  const std::uint32_t* begins() const { return At<std::uint32_t>(offsets_.begins); }
  const std::uint32_t* positions() const { return At<std::uint32_t>(offsets_.positions); }
  const std::uint32_t* inverse() const { return At<std::uint32_t>(offsets_.inverse); }
  std::uint32_t count_max() const { return count_max_; }

 private:
  struct Offsets {
    std::size_t unsorted_hashes, hashes, keys;
    std::size_t unsorted_positions, positions, flags, sums, inverse, begins, unique_count, end;
  };

  explicit DistinctKeys(std::uint32_t count_max);

  template <typename Item>
  Item* At(std::size_t offset) const {
    return memory_.At<Item>(offset);
  }

  std::uint32_t count_max_;
  Offsets offsets_;
  Memory memory_;
};

}  // namespace longtail::device
