#include "worker/device/gradient_sums.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "worker/device/layout.h"

namespace longtail::device {

absl::StatusOr<GradientSums> GradientSums::Make(Device& device, const Options& options) {
  if (options.unique_max == 0 || options.unique_max > kItemsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("gradient sums: unique_max ", options.unique_max, ": want 1..", kItemsMax));
  }
  GradientSums sums;
  sums.options_ = options;
  Layout layout;
  sums.offsets_ = {.flags = layout.Add<std::uint32_t>(options.unique_max),
                   .segments = layout.Add<std::uint32_t>(options.unique_max),
                   .segment_count = layout.Add<std::uint32_t>(1)};
  LONGTAIL_ASSIGN_OR_RETURN(sums.memory_, device.Allocate(MemoryKind::kDevice, layout.bytes()));
  return sums;
}

void GradientSums::Sum(Stream& stream, const SegmentSumCall& call, std::uint32_t key_count) {
  LONGTAIL_CHECK(call.unique_max <= options_.unique_max);
  SegmentSumCall all = call;
  all.long_above = options_.long_above;
  stream.Launch(all);
  // Each long segment has more keys than long_above: no more than so many can be.
  const std::uint32_t long_max =
      all.long_above == kNoLongSegments ? 0 : key_count / (all.long_above + 1);
  if (long_max == 0) return;
  auto* const flags = memory_.At<std::uint32_t>(offsets_.flags);
  auto* const segments = memory_.At<std::uint32_t>(offsets_.segments);
  auto* const segment_count = memory_.At<std::uint32_t>(offsets_.segment_count);
  stream.Launch(MarkLongSegmentsCall{.begins = call.begins,
                                     .unique_count = call.unique_count,
                                     .flags = flags,
                                     .unique_max = call.unique_max,
                                     .long_above = all.long_above});
  stream.Pick(
      {.flags = flags, .places = segments, .place_count = segment_count, .count = call.unique_max});
  stream.Launch(LongSegmentSumCall{
      .all = all, .segments = segments, .segment_count = segment_count, .segment_max = long_max});
}

}  // namespace longtail::device
