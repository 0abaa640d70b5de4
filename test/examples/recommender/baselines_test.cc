// The baselines against what their words say, pair by pair.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "examples/common/nn/matrix.h"
#include "examples/recommender/item_knn.h"
#include "examples/recommender/popularity.h"
#include "examples/recommender/small_data.h"

namespace longtail::examples::recommender {
namespace {

TEST_CASE("popularity scores items by their counts", "[examples][recommender][baselines]") {
  const std::vector<std::uint32_t> counts = {3, 0, 9};
  Popularity popularity(counts);
  MatrixBuffer scores(2, 3);
  const std::vector<KnownUser> users(2);
  test::Need(popularity.Score(users, scores.view()));
  for (std::size_t u = 0; u < 2; ++u) {
    const float* const row = scores.view().row(u);
    CHECK(std::vector<float>(row, row + 3) == std::vector<float>{3, 0, 9});
  }
}

TEST_CASE("item-kNN sums cosines over the nearest neighbours",
          "[examples][recommender][baselines]") {
  constexpr std::uint32_t kItems = 12;
  const std::size_t neighbours = GENERATE(3U, 100U);
  CAPTURE(neighbours);
  const Dataset data = test::MakeDataset(test::RandomLists(21, 25, kItems, 5), kItems, 0);
  std::vector<std::vector<double>> likes(kItems, std::vector<double>(data.user_count()));
  for (const Interaction& i : data.train) likes[i.item][i.user] = 1;
  const auto cosine = [&](std::uint32_t a, std::uint32_t b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (std::size_t u = 0; u < data.user_count(); ++u) {
      ab += likes[a][u] * likes[b][u];
      aa += likes[a][u] * likes[a][u];
      bb += likes[b][u] * likes[b][u];
    }
    return ab == 0 ? 0 : static_cast<float>(ab / std::sqrt(aa * bb));
  };
  ItemKnn knn(data, neighbours);
  MatrixBuffer scores(1, kItems);
  for (std::uint32_t user = 0; user < data.user_count(); ++user) {
    const auto known = data.train_items.Of(user);
    const KnownUser who{.user = user, .items = known};
    test::Need(knn.Score({&who, 1}, scores.view()));
    for (std::uint32_t item = 0; item < kItems; ++item) {
      // The nearest of the item; of equal ones the first.
      std::vector<std::uint32_t> others;
      for (std::uint32_t other = 0; other < kItems; ++other) {
        if (other != item && cosine(item, other) > 0) others.push_back(other);
      }
      std::stable_sort(others.begin(), others.end(), [&](std::uint32_t a, std::uint32_t b) {
        return cosine(item, a) > cosine(item, b);
      });
      others.resize(std::min(others.size(), neighbours));
      double want = 0;
      for (const std::uint32_t other : others) {
        if (std::ranges::count(known, other) != 0) want += static_cast<double>(cosine(item, other));
      }
      CHECK(scores.view().row(0)[item] == Approx(want).margin(1e-6));
    }
  }
}

}  // namespace
}  // namespace longtail::examples::recommender
