// Whatever can say how much a user may like each item: the trained model and the baselines.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "examples/common/nn/matrix.h"

namespace longtail::examples::recommender {

/// A user and the items that they are known to like, in their order.
struct KnownUser {
  std::uint32_t user = 0;
  std::span<const std::uint32_t> items;
};

/// Thread: one at a time.
class Scorer {
 public:
  virtual ~Scorer() = default;

  /// Sets scores of all items for each user; higher is better, and nothing else is said.
  /// Shapes: scores [users, items].
  virtual absl::Status Score(std::span<const KnownUser> users, Matrix scores) = 0;
};

}  // namespace longtail::examples::recommender
