#include "examples/recommender/top_items.h"

#include <algorithm>
#include <limits>

namespace longtail::examples::recommender {
namespace {

bool IsBetter(const RankedItem& a, const RankedItem& b) {
  return a.score > b.score || (a.score == b.score && a.item < b.item);
}

}  // namespace

void TopItems(std::span<float> scores, std::span<const std::uint32_t> excluded, std::size_t count,
              std::vector<RankedItem>& top) {
  constexpr float kExcluded = -std::numeric_limits<float>::infinity();
  for (const std::uint32_t item : excluded) scores[item] = kExcluded;
  top.clear();
  if (count == 0) return;
  for (std::uint32_t i = 0; i < scores.size(); ++i) {
    const RankedItem item{.item = i, .score = scores[i]};
    if (!(item.score > kExcluded)) continue;  // Nor what is not a number.
    if (top.size() < count) {
      top.push_back(item);
      std::push_heap(top.begin(), top.end(), IsBetter);
    } else if (IsBetter(item, top.front())) {
      std::pop_heap(top.begin(), top.end(), IsBetter);
      top.back() = item;
      std::push_heap(top.begin(), top.end(), IsBetter);
    }
  }
  std::sort_heap(top.begin(), top.end(), IsBetter);
}

}  // namespace longtail::examples::recommender
