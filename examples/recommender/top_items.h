// The best items of a list of scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace longtail::examples::recommender {

struct RankedItem {
  std::uint32_t item = 0;
  float score = 0;

  bool operator==(const RankedItem&) const = default;
};

/// Sets `top` to the `count` items with the highest scores, highest first, without those excluded.
/// Of equal scores the item with the lower number comes first, the one that the data set named
/// first. Overwrites the scores of those excluded.
///
/// Shapes: scores [items].
/// Cost:   one pass, and a heap of `count`.
void TopItems(std::span<float> scores, std::span<const std::uint32_t> excluded, std::size_t count,
              std::vector<RankedItem>& top);

}  // namespace longtail::examples::recommender
