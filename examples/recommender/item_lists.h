// The items of each user, one list behind the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "examples/recommender/interaction_file.h"

namespace longtail::examples::recommender {

class ItemLists {
 public:
  ItemLists() = default;

  /// Lists in the order of `interactions`.
  ItemLists(std::uint32_t user_count, std::span<const Interaction> interactions)
      : offsets_(user_count + std::size_t{1}), items_(interactions.size()) {
    for (const Interaction& i : interactions) ++offsets_[i.user + std::size_t{1}];
    for (std::size_t u = 1; u < offsets_.size(); ++u) offsets_[u] += offsets_[u - 1];
    std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
    for (const Interaction& i : interactions) items_[next[i.user]++] = i.item;
  }

  std::span<const std::uint32_t> Of(std::uint32_t user) const {
    return std::span(items_).subspan(offsets_[user],
                                     offsets_[user + std::size_t{1}] - offsets_[user]);
  }

  std::size_t size() const { return items_.size(); }

 private:
  std::vector<std::size_t> offsets_;  // [users + 1]
  std::vector<std::uint32_t> items_;
};

}  // namespace longtail::examples::recommender
