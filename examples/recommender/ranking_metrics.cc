#include "examples/recommender/ranking_metrics.h"

#include <algorithm>
#include <cmath>

namespace longtail::examples::recommender {
namespace {

// Of a place that counts from 0.
double Discount(std::size_t place) {
  return 1 / std::log2(static_cast<double>(place) + 2);
}

}  // namespace

RankingEvaluator::RankingEvaluator(std::span<const std::uint32_t> item_counts,
                                   std::span<const std::size_t> ks)
    : item_counts_(item_counts) {
  for (const std::size_t k : ks) sums_.push_back({.k = k});
}

void RankingEvaluator::Add(std::span<const RankedItem> list,
                           std::span<const std::uint32_t> test_items) {
  sorted_.assign(test_items.begin(), test_items.end());
  std::ranges::sort(sorted_);
  sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
  for (RankingMetrics& sum : sums_) {
    const std::size_t places = std::min(sum.k, list.size());
    double gain = 0;
    std::size_t found = 0;
    for (std::size_t place = 0; place < places; ++place) {
      if (!std::ranges::binary_search(sorted_, list[place].item)) continue;
      gain += Discount(place);
      ++found;
      ++sum.buckets[ItemBucketOf(item_counts_[list[place].item])].found;
    }
    double highest = 0;
    for (std::size_t i = 0; i < std::min(sum.k, sorted_.size()); ++i) highest += Discount(i);
    ++sum.users;
    sum.hit_rate += found > 0 ? 1 : 0;
    sum.recall += static_cast<double>(found) / static_cast<double>(sorted_.size());
    sum.ndcg += gain / highest;
    for (const std::uint32_t item : sorted_) {
      ++sum.buckets[ItemBucketOf(item_counts_[item])].test_items;
    }
  }
}

std::vector<RankingMetrics> RankingEvaluator::Metrics() const {
  std::vector<RankingMetrics> metrics = sums_;
  for (RankingMetrics& m : metrics) {
    const double users = std::max(1.0, static_cast<double>(m.users));
    m.hit_rate /= users;
    m.recall /= users;
    m.ndcg /= users;
  }
  return metrics;
}

}  // namespace longtail::examples::recommender
