// Lists against a full sort, metrics against their definitions written out.
#include "examples/recommender/ranking_metrics.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <vector>

#include "base/random.h"
#include "examples/recommender/top_items.h"

namespace longtail::examples::recommender {
namespace {

TEST_CASE("the best items are those of a full sort, and of equal ones the first come first",
          "[examples][recommender][ranking]") {
  Rng rng(5);
  for (int round = 0; round < 200; ++round) {
    const auto size = static_cast<std::size_t>(1 + rng.Below(30));
    std::vector<float> scores(size);
    for (float& s : scores) s = static_cast<float>(rng.Below(6));  // Many are equal.
    std::vector<std::uint32_t> excluded;
    for (std::uint32_t i = 0; i < size; ++i) {
      if (rng.Below(4) == 0) excluded.push_back(i);
    }
    std::vector<RankedItem> want;
    for (std::uint32_t i = 0; i < size; ++i) {
      if (std::ranges::count(excluded, i) == 0) want.push_back({.item = i, .score = scores[i]});
    }
    std::stable_sort(want.begin(), want.end(),
                     [](const RankedItem& a, const RankedItem& b) { return a.score > b.score; });
    const auto count = static_cast<std::size_t>(rng.Below(12));
    want.resize(std::min(want.size(), count));
    std::vector<RankedItem> got;
    TopItems(scores, excluded, count, got);
    CHECK(got == want);
  }
}

TEST_CASE("what is no number is in no list", "[examples][recommender][ranking]") {
  std::vector<float> scores = {std::nanf(""), 1, std::nanf("")};
  std::vector<RankedItem> got;
  TopItems(scores, {}, 3, got);
  CHECK(got == std::vector<RankedItem>{{.item = 1, .score = 1}});
}

TEST_CASE("buckets cover every count once", "[examples][recommender][ranking]") {
  CHECK(ItemBucketOf(0) == 0);
  CHECK(ItemBucketOf(1) == 1);
  CHECK(ItemBucketOf(5) == kTailBuckets - 1);
  CHECK(ItemBucketOf(6) == kTailBuckets);
  CHECK(ItemBucketOf(0xFFFFFFFFU) == kItemBuckets.size() - 1);
  for (std::size_t b = 1; b < kItemBuckets.size(); ++b) {
    CHECK(kItemBuckets[b].first == kItemBuckets[b - 1].last + 1);
  }
}

TEST_CASE("one user's figures, by hand", "[examples][recommender][ranking]") {
  // Items 0 … 9 have been seen as often as their number says.
  const std::vector<std::uint32_t> counts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 200};
  const std::array<std::size_t, 2> ks = {2, 4};
  RankingEvaluator evaluator(counts, ks);
  const std::vector<RankedItem> list = {{9, 4}, {3, 3}, {8, 2}, {1, 1}};
  const std::vector<std::uint32_t> test = {1, 3, 5, 3};  // 3 is named twice.
  evaluator.Add(list, test);
  const std::vector<RankingMetrics> m = evaluator.Metrics();
  CHECK(m[0].hit_rate == 1);
  CHECK(m[0].recall == Approx(1.0 / 3));
  CHECK(m[0].ndcg == Approx((1 / std::log2(3)) / (1 + 1 / std::log2(3))));
  CHECK(m[1].recall == Approx(2.0 / 3));
  CHECK(m[1].ndcg ==
        Approx((1 / std::log2(3) + 1 / std::log2(5)) / (1 + 1 / std::log2(3) + 1 / std::log2(4))));
  CHECK(m[1].buckets[1].found == 1);  // Item 1, seen once.
  CHECK(m[1].buckets[2].found == 1);  // Item 3, of the two that were seen 2 to 5 times.
  CHECK(m[1].buckets[2].test_items == 2);
  CHECK(m[1].tail().share() == Approx(2.0 / 3));
}

TEST_CASE("figures over users are the definitions' means", "[examples][recommender][ranking]") {
  Rng rng(11);
  constexpr std::uint32_t kItems = 40;
  std::vector<std::uint32_t> counts(kItems);
  for (auto& c : counts) c = static_cast<std::uint32_t>(rng.Below(150));
  const std::array<std::size_t, 2> ks = {3, 10};
  RankingEvaluator evaluator(counts, ks);
  double hits[2] = {};
  double recall[2] = {};
  double ndcg[2] = {};
  std::uint64_t found[2][kItemBuckets.size()] = {};
  constexpr int kUsers = 50;
  for (int u = 0; u < kUsers; ++u) {
    std::vector<float> scores(kItems);
    for (float& s : scores) s = rng.Uniform();
    std::vector<RankedItem> list;
    TopItems(scores, {}, 10, list);
    std::set<std::uint32_t> test;
    for (std::uint64_t i = rng.Below(8); i < 8; ++i) {
      test.insert(static_cast<std::uint32_t>(rng.Below(kItems)));
    }
    const std::vector<std::uint32_t> items(test.begin(), test.end());
    evaluator.Add(list, items);
    for (int k = 0; k < 2; ++k) {
      double dcg = 0;
      double ideal = 0;
      int n = 0;
      for (std::size_t place = 0; place < ks[static_cast<std::size_t>(k)]; ++place) {
        const double gain = std::log(2.0) / std::log(static_cast<double>(place) + 2);
        if (place < items.size()) ideal += gain;
        if (test.contains(list[place].item)) {
          dcg += gain;
          ++n;
          ++found[k][ItemBucketOf(counts[list[place].item])];
        }
      }
      hits[k] += n > 0 ? 1 : 0;
      recall[k] += n / static_cast<double>(items.size());
      ndcg[k] += dcg / ideal;
    }
  }
  const std::vector<RankingMetrics> metrics = evaluator.Metrics();
  for (std::size_t k = 0; k < 2; ++k) {
    CHECK(metrics[k].users == kUsers);
    CHECK(metrics[k].hit_rate == Approx(hits[k] / kUsers));
    CHECK(metrics[k].recall == Approx(recall[k] / kUsers));
    CHECK(metrics[k].ndcg == Approx(ndcg[k] / kUsers));
    for (std::size_t b = 0; b < kItemBuckets.size(); ++b) {
      CHECK(metrics[k].buckets[b].found == found[k][b]);
    }
  }
}

}  // namespace
}  // namespace longtail::examples::recommender
