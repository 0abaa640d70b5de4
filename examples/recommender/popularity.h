// The baseline that knows nobody: items by how often training has them.
#pragma once

#include <cstdint>
#include <span>

#include "examples/recommender/scorer.h"

namespace longtail::examples::recommender {

class Popularity final : public Scorer {
 public:
  /// `counts` [items] must outlive this.
  explicit Popularity(std::span<const std::uint32_t> counts) : counts_(counts) {}

  absl::Status Score(std::span<const KnownUser> users, Matrix scores) override {
    for (std::size_t u = 0; u < users.size(); ++u) {
      for (std::size_t i = 0; i < counts_.size(); ++i) {
        scores.row(u)[i] = static_cast<float>(counts_[i]);
      }
    }
    return absl::OkStatus();
  }

 private:
  const std::span<const std::uint32_t> counts_;
};

}  // namespace longtail::examples::recommender
