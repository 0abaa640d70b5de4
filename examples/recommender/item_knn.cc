#include "examples/recommender/item_knn.h"

#include <algorithm>
#include <cmath>

namespace longtail::examples::recommender {

ItemKnn::ItemKnn(const Dataset& data, std::size_t neighbours) : adds_to_(data.item_count()) {
  std::vector<std::vector<std::uint32_t>> users_of(data.item_count());
  for (const Interaction& i : data.train) users_of[i.item].push_back(i.user);
  std::vector<std::uint32_t> together(data.item_count());
  std::vector<std::uint32_t> touched;
  std::vector<float> scores;
  std::vector<RankedItem> top;
  for (std::uint32_t item = 0; item < data.item_count(); ++item) {
    touched.clear();
    for (const std::uint32_t user : users_of[item]) {
      for (const std::uint32_t other : data.train_items.Of(user)) {
        if (other == item) continue;
        if (together[other]++ == 0) touched.push_back(other);
      }
    }
    std::ranges::sort(touched);  // So that equal similarities stay in the order of items.
    scores.clear();
    for (const std::uint32_t other : touched) {
      const double product = static_cast<double>(data.item_counts[item]) * data.item_counts[other];
      scores.push_back(static_cast<float>(together[other] / std::sqrt(product)));
      together[other] = 0;
    }
    TopItems(scores, {}, neighbours, top);
    for (const RankedItem& near : top) {
      adds_to_[touched[near.item]].push_back({.item = item, .score = near.score});
    }
  }
}

absl::Status ItemKnn::Score(std::span<const KnownUser> users, Matrix scores) {
  for (std::size_t u = 0; u < users.size(); ++u) {
    float* const row = scores.row(u);
    std::fill_n(row, adds_to_.size(), 0.0F);
    for (const std::uint32_t item : users[u].items) {
      for (const RankedItem& other : adds_to_[item]) row[other.item] += other.score;
    }
  }
  return absl::OkStatus();
}

}  // namespace longtail::examples::recommender
