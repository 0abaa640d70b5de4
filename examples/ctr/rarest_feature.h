// How often training saw the rarest feature of each example.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "examples/common/data/batch.h"

namespace longtail::examples {

/// Of all fields. Shapes: inverse [batch.keys.size()]; counts [unique]; rarest becomes
/// [batch.size], kCountAbsent for an example without any key.
void FindRarest(const Batch& batch, std::span<const std::uint32_t> inverse,
                std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rarest);

/// Of one field.
void FindRarestOfField(const Batch& batch, std::uint32_t field,
                       std::span<const std::uint32_t> inverse,
                       std::span<const std::uint32_t> counts, std::vector<std::uint32_t>& rarest);

}  // namespace longtail::examples
