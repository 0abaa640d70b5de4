#include "examples/recommender/tail_places.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "examples/recommender/ranking_metrics.h"

namespace longtail::examples::recommender {
namespace {

bool IsRare(std::uint32_t count) {
  return count > 0 && count <= kItemBuckets[kTailBuckets - 1].last;
}

}  // namespace

void TopItemsWithTail(std::span<float> scores, std::span<const std::uint32_t> excluded,
                      std::span<const std::uint32_t> item_counts, float share, std::size_t count,
                      std::vector<RankedItem>& top) {
  TopItems(scores, excluded, count, top);
  // So many places of the first p; a hair more, so that 0.1 of 10 is one.
  const auto kept = [&](std::size_t places) {
    return static_cast<std::size_t>(std::floor(static_cast<double>(places) * share + 1e-6));
  };
  if (kept(count) == 0) return;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!IsRare(item_counts[i])) scores[i] = -std::numeric_limits<float>::infinity();
  }
  std::vector<RankedItem> rare;
  TopItems(scores, {}, kept(count), rare);

  std::vector<RankedItem> merged;
  std::size_t rare_count = 0;  // In merged: the first of `rare`, for both lists are in one order.
  for (auto best = top.begin(); merged.size() < count;) {
    const bool is_due = rare_count < kept(merged.size() + 1) && rare_count < rare.size();
    if (is_due) {
      merged.push_back(rare[rare_count++]);
      continue;
    }
    if (best == top.end()) break;
    const bool is_there =
        std::find(rare.begin(), rare.begin() + static_cast<std::ptrdiff_t>(rare_count), *best) !=
        rare.begin() + static_cast<std::ptrdiff_t>(rare_count);
    if (!is_there) {
      if (rare_count < rare.size() && rare[rare_count] == *best) ++rare_count;
      merged.push_back(*best);
    }
    ++best;
  }
  top = std::move(merged);
}

}  // namespace longtail::examples::recommender
