// The baseline of neighbours: items liked by the same users.
//
// The similarity of two items is the cosine of their columns in the matrix of who liked what: users
// that both have, by the root of the product of their counts. An item's score is the sum, over
// those of its `neighbours` nearest items that the user is known to like, of their similarity.
// (Sarwar et al., "Item-Based Collaborative Filtering Recommendation Algorithms", WWW 2001, for
// items that are liked or not.)
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

  /// The items whose scores this one adds to, and how much, in their order.
  std::span<const RankedItem> AddsTo(std::uint32_t item) const { return adds_to_[item]; }

 private:
  std::vector<std::vector<RankedItem>> adds_to_;  // [items]
};

}  // namespace longtail::examples::recommender
