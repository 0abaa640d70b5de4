// How good lists of recommendations are, over all users and by how often items were in training.
//
// With the first k places of a list that ranks all items (but those that the user is known to have
// from training):
//
//   HR@k       1 if any of the user's test items is among them
//   recall@k   the share of the user's test items that are
//   NDCG@k     the sum of 1 / log2(place + 1) over those that are, places from 1, by the highest
//              that so many test items could have
//
// each the mean over users. By bucket: of all test items whose count in training is in the bucket,
// the share that is found in the first k places of its user's list. With one test item a user that
// is HR@k, which equals recall@k. Lists are never cut to a sample of items.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "examples/recommender/top_items.h"

namespace longtail::examples::recommender {

/// Counts of items in training.
struct ItemBucket {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::string_view name;
};

inline constexpr std::array<ItemBucket, 6> kItemBuckets{{
    {.first = 0, .last = 0, .name = "0"},
    {.first = 1, .last = 1, .name = "1"},
    {.first = 2, .last = 5, .name = "2-5"},
    {.first = 6, .last = 19, .name = "6-19"},
    {.first = 20, .last = 99, .name = "20-99"},
    {.first = 100, .last = std::numeric_limits<std::uint32_t>::max(), .name = "100+"},
}};

/// The long tail: items in the first buckets, with up to 5 interactions in training.
inline constexpr std::size_t kTailBuckets = 3;

/// The index of the bucket that holds a count.
constexpr std::size_t ItemBucketOf(std::uint32_t count) {
  std::size_t bucket = 0;
  while (count > kItemBuckets[bucket].last) ++bucket;
  return bucket;
}

struct BucketHits {
  std::uint64_t test_items = 0;
  std::uint64_t found = 0;

  double share() const {
    return test_items == 0 ? 0 : static_cast<double>(found) / static_cast<double>(test_items);
  }
};

/// Of one k.
struct RankingMetrics {
  std::size_t k = 0;
  std::uint64_t users = 0;
  double hit_rate = 0;
  double recall = 0;
  double ndcg = 0;
  std::array<BucketHits, kItemBuckets.size()> buckets{};

  BucketHits tail() const {
    BucketHits sum;
    for (std::size_t b = 0; b < kTailBuckets; ++b) {
      sum.test_items += buckets[b].test_items;
      sum.found += buckets[b].found;
    }
    return sum;
  }
};

/// Thread: one at a time.
class RankingEvaluator {
 public:
  /// `item_counts` [items] must outlive this. `ks` are the numbers of places, none 0.
  RankingEvaluator(std::span<const std::uint32_t> item_counts, std::span<const std::size_t> ks);

  /// A user's list, at least as long as the highest k unless there are no more items, and test
  /// items, at least one. A test item that is named twice counts once.
  void Add(std::span<const RankedItem> list, std::span<const std::uint32_t> test_items);

  /// In the order of `ks`.
  std::vector<RankingMetrics> Metrics() const;

 private:
  const std::span<const std::uint32_t> item_counts_;
  std::vector<RankingMetrics> sums_;  // Of users; divided by their number in Metrics.
  std::vector<std::uint32_t> sorted_;
};

}  // namespace longtail::examples::recommender
