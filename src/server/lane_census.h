// How often the rows of a lane's tables were trained: counted a part at a time, while the lane
// works, so that it can be shown while a table has more rows than could be looked at for a picture.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "protocol/count_class.h"
#include "server/lane_core.h"

namespace longtail::server {

/// Goes round the places of a lane's rows again and again. What changes behind its back during a
/// round is seen in the next: of a table at rest the counts are exact.
///
/// Thread: who may read the lane.
class LaneCensus {
 public:
  /// Looks at about `places` more places of `lane`, no more than one round; which may be another
  /// lane than before: the round under way is then a mixture, the next one is right.
  ///
  /// Cost: up to 10 ns a place.
  void Advance(const LaneCore& lane, std::size_t places);

  /// (Least count of a class of counts, rows), by count, of each table, by TableId; as the newest
  /// round that is complete found them. Empty before that.
  std::vector<std::vector<std::pair<std::uint32_t, std::uint64_t>>> RowsByCount() const;

  /// Rounds that are complete.
  std::uint64_t rounds() const { return rounds_; }

 private:
  using Classes = std::array<std::uint64_t, kCountClasses>;

  std::size_t partition_ = 0;  // Where it is.
  std::uint32_t table_ = 0;
  std::uint32_t place_ = 0;
  std::uint64_t rounds_ = 0;
  std::vector<Classes> counted_;   // In this round, by table,
  std::vector<Classes> complete_;  // and in the one before.
};

}  // namespace longtail::server
