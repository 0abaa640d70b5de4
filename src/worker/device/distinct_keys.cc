#include "worker/device/distinct_keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "worker/device/layout.h"

namespace longtail::device {

DistinctKeys::DistinctKeys(std::uint32_t count_max) : count_max_(count_max) {
  const std::size_t n = count_max;
  Layout layout;
  offsets_ = {.unsorted_hashes = layout.Add<std::uint64_t>(n),
              .hashes = layout.Add<std::uint64_t>(n),
              .keys = layout.Add<std::uint64_t>(n),
              .unsorted_positions = layout.Add<std::uint32_t>(n),
              .positions = layout.Add<std::uint32_t>(n),
              .flags = layout.Add<std::uint32_t>(n),
              .sums = layout.Add<std::uint32_t>(n),
              .inverse = layout.Add<std::uint32_t>(n),
              .begins = layout.Add<std::uint32_t>(n + 1),
              .unique_count = layout.Add<std::uint32_t>(1),
              .end = 0};
  offsets_.end = layout.bytes();
}

absl::StatusOr<DistinctKeys> DistinctKeys::Make(Device& device, std::uint32_t count_max) {
  if (count_max == 0 || count_max > kItemsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("distinct keys of ", count_max, ": want 1..", kItemsMax));
  }
  DistinctKeys keys(count_max);
  LONGTAIL_ASSIGN_OR_RETURN(keys.memory_, device.Allocate(MemoryKind::kDevice, keys.offsets_.end));
  return keys;
}

void DistinctKeys::Find(Stream& stream, const std::uint64_t* keys, std::uint32_t count) {
  LONGTAIL_CHECK(count <= count_max_);
  const Offsets& at = offsets_;
  if (count == 0) {  // What the kernels would write with the last key.
    stream.Fill(At<void>(at.unique_count), 0, sizeof(std::uint32_t));
    stream.Fill(At<void>(at.begins), 0, sizeof(std::uint32_t));
    return;
  }
  auto* const hashes = At<std::uint64_t>(at.hashes);
  auto* const positions = At<std::uint32_t>(at.positions);
  auto* const flags = At<std::uint32_t>(at.flags);
  auto* const sums = At<std::uint32_t>(at.sums);
  stream.Launch(HashKeysCall{.keys = keys,
                             .hashes = At<std::uint64_t>(at.unsorted_hashes),
                             .positions = At<std::uint32_t>(at.unsorted_positions),
                             .count = count});
  stream.Sort({.keys = At<std::uint64_t>(at.unsorted_hashes),
               .values = At<std::uint32_t>(at.unsorted_positions),
               .sorted_keys = hashes,
               .sorted_values = positions,
               .count = count});
  stream.Launch(MarkHeadsCall{.hashes = hashes, .flags = flags, .count = count});
  stream.Sum({.values = flags, .sums = sums, .count = count});
  stream.Launch(NumberKeysCall{.hashes = hashes,
                               .positions = positions,
                               .flags = flags,
                               .sums = sums,
                               .keys = At<std::uint64_t>(at.keys),
                               .begins = At<std::uint32_t>(at.begins),
                               .inverse = At<std::uint32_t>(at.inverse),
                               .unique_count = At<std::uint32_t>(at.unique_count),
                               .count = count});
}

}  // namespace longtail::device
