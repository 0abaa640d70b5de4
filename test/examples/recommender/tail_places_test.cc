#include "examples/recommender/tail_places.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/random.h"

namespace longtail::examples::recommender {
namespace {

bool IsRare(std::uint32_t count) {
  return 1 <= count && count <= 5;
}

// Place by place: the best rare item that is left if one is due, else the best of all.
std::vector<RankedItem> Slowly(std::vector<RankedItem> left,
                               const std::vector<std::uint32_t>& counts, double share,
                               std::size_t count) {
  std::stable_sort(left.begin(), left.end(),
                   [](const RankedItem& a, const RankedItem& b) { return a.score > b.score; });
  std::vector<RankedItem> list;
  std::size_t rare = 0;
  while (list.size() < count && !left.empty()) {
    auto next = left.begin();
    const double due = std::floor(static_cast<double>(list.size() + 1) * share + 1e-6);
    if (static_cast<double>(rare) < due) {
      const auto found = std::ranges::find_if(
          left, [&](const RankedItem& item) { return IsRare(counts[item.item]); });
      if (found != left.end()) next = found;
    }
    rare += IsRare(counts[next->item]) ? 1 : 0;
    list.push_back(*next);
    left.erase(next);
  }
  return list;
}

TEST_CASE("a list with places for the tail is the one made place by place",
          "[examples][recommender][ranking]") {
  Rng rng(1);
  int other = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto size = static_cast<std::size_t>(1 + rng.Below(40));
    const double share = static_cast<double>(rng.Below(11)) / 10;
    const auto count = static_cast<std::size_t>(rng.Below(25));
    std::vector<float> scores(size);
    std::vector<std::uint32_t> counts(size);
    std::vector<std::uint32_t> excluded;
    std::vector<RankedItem> left;
    for (std::uint32_t i = 0; i < size; ++i) {
      scores[i] = static_cast<float>(rng.Below(9));  // Many are equal.
      counts[i] = static_cast<std::uint32_t>(rng.Below(rng.Below(2) == 0 ? 8 : 30));
      if (rng.Below(4) == 0) {
        excluded.push_back(i);
      } else {
        left.push_back({.item = i, .score = scores[i]});
      }
    }
    std::vector<float> plain_scores = scores;
    std::vector<RankedItem> plain;
    TopItems(plain_scores, excluded, count, plain);
    std::vector<RankedItem> got;
    TopItemsWithTail(scores, excluded, counts, static_cast<float>(share), count, got);

    CAPTURE(round, size, share, count);
    REQUIRE(got == Slowly(left, counts, share, count));
    if (share == 0) REQUIRE(got == plain);
    other += got == plain ? 0 : 1;
  }
  CHECK(other > 500);
}

TEST_CASE("of ten places with a tenth for the tail the last is a rare item's",
          "[examples][recommender][ranking]") {
  std::vector<float> scores;
  std::vector<std::uint32_t> counts;
  for (int i = 0; i < 20; ++i) {
    scores.push_back(static_cast<float>(20 - i));
    counts.push_back(i < 15 ? 100 : i == 15 ? 0 : 3);  // What training lacks is not rare.
  }
  std::vector<RankedItem> list;
  TopItemsWithTail(scores, {}, counts, 0.1F, 10, list);
  REQUIRE(list.size() == 10);
  for (std::uint32_t i = 0; i < 9; ++i) CHECK(list[i].item == i);
  CHECK(list[9].item == 16);
}

}  // namespace
}  // namespace longtail::examples::recommender
