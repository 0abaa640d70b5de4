// A part of an image of a lane: one partition as it stood at a place of the lane's log, for a
// replica that is to join. The parts of an image are cut one after another, each at its own place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/lane_base.h"

namespace longtail {

/// A part as it is read: the chunks of rows lie in the bytes that it was read from.
struct LaneImagePart {
  LaneBase base;                                   ///< Of one partition; `log_end` is the cut.
  std::vector<std::span<const std::byte>> chunks;  ///< In the order of base.blobs.
};

/// `chunks` in the order of base.blobs.
std::string EncodeLaneImagePart(const LaneBase& base, std::span<const std::string> chunks);

/// `bytes` must outlive the part.
///
/// Errors: InvalidArgument, DataLoss naming `what`, the field and the offset.
absl::StatusOr<LaneImagePart> DecodeLaneImagePart(const std::string& what,
                                                  std::span<const std::byte> bytes);

}  // namespace longtail
