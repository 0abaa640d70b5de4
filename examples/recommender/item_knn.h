// The baseline of neighbours: items liked by the same users.
//
// The similarity of two items is the cosine of their columns in the matrix of who liked what: users
// that both have, by the root of the product of their counts. An item's score is the sum, over the
// items that the user is known to like, of their similarity, where it is among the `neighbours`
// nearest of them. (Deshpande and Karypis, "Item-Based Top-N Recommendation Algorithms", ACM TOIS
// 2004.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/recommender/dataset.h"
#include "examples/recommender/scorer.h"
#include "examples/recommender/top_items.h"

namespace longtail::examples::recommender {

class ItemKnn final : public Scorer {
 public:
  /// Cost: for each user, the square of the number of their items.
  ItemKnn(const Dataset& data, std::size_t neighbours);

  absl::Status Score(std::span<const KnownUser> users, Matrix scores) override;

  std::span<const RankedItem> Neighbours(std::uint32_t item) const { return neighbours_[item]; }

 private:
  std::vector<std::vector<RankedItem>> neighbours_;  // [items] nearest first.
};

}  // namespace longtail::examples::recommender
