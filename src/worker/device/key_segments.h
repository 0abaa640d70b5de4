// The positions of a batch's keys grouped by key, for segment_sum.h, from what a deduplication on
// the host gives.
//
//   inverse      1 0 1 2 0 1          the key of each position
//   begins       0     2       5  6   segments of positions, one a key
//   positions    1 4 | 0 2 5 | 3
#pragma once

#include <cstdint>
#include <span>

namespace longtail::device {

/// Fills both. Needs inverse[i] < begins.size() - 1.
///
/// Shapes: inverse, positions [keys]; begins [unique + 1].
/// Cost:   two passes over the keys; no allocation.
void FindSegments(std::span<const std::uint32_t> inverse, std::span<std::uint32_t> begins,
                  std::span<std::uint32_t> positions);

}  // namespace longtail::device
