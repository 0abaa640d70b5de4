// Lists with places for the long tail.
//
// A model that learns how likely an item is lists what is popular first: what few have seen is good
// for few, and loses each comparison. A list with a share of places for rare items gives up that
// share of the head and no more: of the first p places at least floor(share p) have rare items, the
// best of them by the same scores; all others are as without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/recommender/top_items.h"

namespace longtail::examples::recommender {

/// Sets `top` to `count` items, as TopItems does, with a `share` (0..1) of places for items that
/// are in training and in kItemBuckets' tail. With fewer such items than places, the others
/// take them.
///
/// Shapes: scores, item_counts [items]; scores are overwritten.
/// Cost:   two passes; one if `share` is 0.
void TopItemsWithTail(std::span<float> scores, std::span<const std::uint32_t> excluded,
                      std::span<const std::uint32_t> item_counts, float share, std::size_t count,
                      std::vector<RankedItem>& top);

}  // namespace longtail::examples::recommender
