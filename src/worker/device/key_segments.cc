#include "worker/device/key_segments.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"

namespace longtail::device {

void FindSegments(std::span<const std::uint32_t> inverse, std::span<std::uint32_t> begins,
                  std::span<std::uint32_t> positions) {
  LONGTAIL_CHECK(!begins.empty());
  LONGTAIL_CHECK(positions.size() == inverse.size());
  std::ranges::fill(begins, 0);
  for (const std::uint32_t key : inverse) ++begins[key + 1];
  for (std::size_t k = 1; k < begins.size(); ++k) begins[k] += begins[k - 1];
  // Each begin serves as its segment's cursor, so that it ends where the next one begins.
  for (std::uint32_t i = 0; i < inverse.size(); ++i) positions[begins[inverse[i]]++] = i;
  for (std::size_t k = begins.size() - 1; k > 0; --k) begins[k] = begins[k - 1];
  begins[0] = 0;
}

}  // namespace longtail::device
